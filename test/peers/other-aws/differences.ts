/** A test of ours that fails on another emulator, because that emulator is not as AWS documents itself. */
interface Difference {
  readonly file: string;
  /** The end of the test's name. */
  readonly test: string;
  readonly reason: string;
}

const FULL_ROW: Difference = {
  file: 'runner/ownership/store.test.ts',
  test: 'a row that is full can be read and not be written, and trying again is no use',
  reason: 'UpdateItem takes an item over 400 KB; AWS refuses it with ValidationException',
};
const LONG_KEY: Difference = {
  file: 'runner/ownership/store.test.ts',
  test: 'a call that the table refuses is not retryable',
  reason: 'GetItem takes a partition key over 2,048 bytes; AWS refuses it with ValidationException',
};

/** By emulator. Each must go on failing: one that passes is a line to delete here. */
export const DIFFERENCES: Readonly<Record<'moto' | 'ministack', readonly Difference[]>> = {
  moto: [FULL_ROW, LONG_KEY],
  ministack: [],
};

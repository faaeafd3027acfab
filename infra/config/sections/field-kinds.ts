import * as v from 'valibot';

/** Kinds of values that more than one section of the configuration holds, and fields of cron expressions. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(1));

/** What CDK puts in the place of a value that only a deployment knows, such as the id of a VPC in the same app. */
export const TOKEN = /[$#]\{Token\[/;

/** Text of a certain form, or a token that will have that form once it is deployed. */
export function textLike(form: RegExp, description: string) {
  return acceptedText((value) => form.test(value) || TOKEN.test(value), description);
}

/**
 * Text that a function accepts.
 *
 * @param description completes "allowed is …" in the message of a mistake
 */
export function acceptedText(isGood: (value: string) => boolean, description: string) {
  return v.pipe(
    v.string(),
    v.check((value) => isGood(value), `allowed is ${description}`),
    v.description(description),
  );
}

/**
 * Reads one field of a cron expression as EventBridge does: values, ranges and lists of them, each with a step.
 *
 * @param names stand for the values from `least` on
 */
export function cronField(
  least: number,
  most: number,
  names: readonly string[] = [],
): (text: string) => boolean {
  const isValue = (text: string) => {
    if (names.includes(text.toUpperCase())) return true;
    return /^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most;
  };
  const isPart = (part: string) => {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
    if (range === '*') return true;
    const ends = range.split('-');
    return ends.length <= 2 && ends.every(isValue);
  };
  return (text) => text.split(',').every(isPart);
}

/** Whether the time zone is in this machine's tables. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** One whole answer to an HTTP/1.1 request. */
export interface WireAnswer {
  readonly status: number;
  /** By lower-case name; several of one name are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether the next request may go over the same connection. */
  readonly isKept: boolean;
}

/** The answer is not HTTP/1.1 as RFC 9112 has it, or is too long. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';
}

const MAX_HEAD_BYTES = 16 * 1024;
/** An answer to PutRecords has at most 500 results, of some 150 bytes each, or of 400 with an error's message. */
const MAX_BODY_BYTES = 1024 * 1024;
/** The most bytes of a line with a chunk's size and extensions, or with one trailer. */
const MAX_LINE_BYTES = 4 * 1024;

const EMPTY = Buffer.alloc(0);
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
const BARE_LINE_END = /(?<!\r)\n/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly isKept: boolean;
}

/** Where the reader stands. `left`: bytes of the body, or of the chunk, that are still to come. */
type Place =
  | { readonly name: 'head' }
  | { readonly name: 'counted'; left: number }
  | { readonly name: 'until end' }
  | { readonly name: 'chunk size' }
  | { readonly name: 'chunk'; left: number }
  | { readonly name: 'chunk end' }
  | { readonly name: 'trailers'; left: number }
  | { readonly name: 'done' };

const HEAD: Place = { name: 'head' };

/**
 * Reads the answers of one HTTP/1.1 connection, one after another (RFC 9112). Strict: what two readers could understand
 * in two ways is refused, because the next answer on a kept connection would then be read from the middle of this one.
 */
export class AnswerReader {
  #place: Place = HEAD;
  #head: Head | undefined;
  /** Bytes that have come and are not understood yet. */
  #rest: Buffer = EMPTY;
  #body: Buffer[] = [];
  #bodyBytes = 0;

  /**
   * @param bytes what came next; copied, because a socket reads into the same memory again
   * @returns the answer, when it is whole now
   * @throws BadAnswerError
   */
  read(bytes: Uint8Array): WireAnswer | undefined {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#step());
    return this.#place.name === 'done' ? this.#take() : undefined;
  }

  /** The other side has ended the connection. @returns the answer, when that was its end */
  end(): WireAnswer | undefined {
    return this.#place.name === 'until end' ? this.#take() : undefined;
  }

  /** Understands the next part. @returns whether there may be more to understand */
  #step(): boolean {
    const place = this.#place;
    switch (place.name) {
      case 'head':
        return this.#readHead();
      case 'counted':
        place.left -= this.#takeBody(place.left);
        if (place.left === 0) this.#place = { name: 'done' };
        return false;
      case 'until end':
        this.#takeBody(this.#rest.length);
        return false;
      case 'chunk size':
        return this.#readChunkSize();
      case 'chunk':
        place.left -= this.#takeBody(place.left);
        if (place.left > 0) return false;
        this.#place = { name: 'chunk end' };
        return true;
      case 'chunk end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer(place);
      case 'done':
        return false;
    }
  }

  #readHead(): boolean {
    // Empty lines before the answer mean nothing, and some servers send one behind the body before it.
    while (this.#rest[0] === 13 && this.#rest[1] === 10) this.#rest = this.#rest.subarray(2);
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end > MAX_HEAD_BYTES || (end < 0 && this.#rest.length > MAX_HEAD_BYTES)) {
      throw new BadAnswerError('the head is too long');
    }
    if (end < 0) {
      // Such a head would never end.
      if (BARE_LINE_END.test(this.#rest.toString('latin1'))) {
        throw new BadAnswerError('a line of the head ends without a carriage return');
      }
      return false;
    }
    const head = parseHead(this.#rest.toString('latin1', 0, end));
    this.#rest = this.#rest.subarray(end + 4);
    // An interim answer, such as 100 Continue, is followed by the one that counts.
    if (head.status < 200) return true;
    this.#head = head;
    this.#place = placeAfter(head);
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === undefined) return false;
    const size = Number.parseInt(CHUNK_SIZE.exec(line)?.[1] ?? '', 16);
    if (Number.isNaN(size))
      throw new BadAnswerError('the size of a chunk is not a hexadecimal number');
    // Refused at once: the bytes need not come first.
    if (this.#bodyBytes + size > MAX_BODY_BYTES) throw new BadAnswerError('the body is too long');
    this.#place =
      size === 0 ? { name: 'trailers', left: MAX_LINE_BYTES } : { name: 'chunk', left: size };
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#rest.length < 2) return false;
    if (this.#rest[0] !== 13 || this.#rest[1] !== 10) {
      throw new BadAnswerError('a chunk is longer than its size');
    }
    this.#rest = this.#rest.subarray(2);
    this.#place = { name: 'chunk size' };
    return true;
  }

  /** Trailers say nothing that this client would read. */
  #readTrailer(place: { left: number }): boolean {
    const line = this.#takeLine();
    if (line === undefined) return false;
    place.left -= line.length;
    if (place.left < 0 || (line !== '' && !HEADER.test(line))) {
      throw new BadAnswerError('a trailer has no name, or the trailers are too long');
    }
    if (line === '') this.#place = { name: 'done' };
    return line !== '';
  }

  #takeLine(): string | undefined {
    const end = this.#rest.indexOf('\r\n');
    if (end > MAX_LINE_BYTES || (end < 0 && this.#rest.length > MAX_LINE_BYTES)) {
      throw new BadAnswerError('a line between chunks is too long');
    }
    if (end < 0) return undefined;
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 2);
    return line;
  }

  #takeBody(mostBytes: number): number {
    const part = this.#rest.subarray(0, mostBytes);
    if (part.length === 0) return 0;
    this.#bodyBytes += part.length;
    if (this.#bodyBytes > MAX_BODY_BYTES) throw new BadAnswerError('the body is too long');
    this.#body.push(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  /** Bytes after the end of an answer belong to no request. */
  #take(): WireAnswer {
    const { status, headers, isKept } = this.#head as Head;
    const [only = EMPTY] = this.#body;
    const body = this.#body.length > 1 ? Buffer.concat(this.#body) : only;
    const answer = {
      status,
      headers,
      body,
      isKept: isKept && this.#place.name === 'done' && this.#rest.length === 0,
    };
    [this.#place, this.#head, this.#rest] = [HEAD, undefined, EMPTY];
    [this.#body, this.#bodyBytes] = [[], 0];
    return answer;
  }
}

/** @param text status line and headers, without the empty line */
function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, digits] = STATUS_LINE.exec(first) ?? [];
  const status = Number(digits);
  if (digits === undefined || status < 100 || status === 101) {
    throw new BadAnswerError('the status line is not that of an HTTP/1.1 answer');
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    if (name === undefined) throw new BadAnswerError('a header has no name');
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value.trimEnd() : `${before}, ${value.trimEnd()}`);
  }
  const isKept = minor === '1' && !/\bclose\b/i.test(headers.get('connection') ?? '');
  return { status, headers, isKept };
}

/** How the body ends: RFC 9112, section 6.3. */
function placeAfter({ status, headers }: Head): Place {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (status === 204 || status === 304) return { name: 'done' };
  if (coding !== undefined) {
    if (length !== undefined) throw new BadAnswerError('the answer has a length and chunks');
    if (coding.toLowerCase() !== 'chunked')
      throw new BadAnswerError('the transfer coding is not chunked');
    return { name: 'chunk size' };
  }
  if (length === undefined) return { name: 'until end' };
  if (!/^\d{1,10}$/.test(length))
    throw new BadAnswerError('the length of the body is not a number');
  const left = Number(length);
  if (left > MAX_BODY_BYTES) throw new BadAnswerError('the body is too long');
  return { name: 'counted', left };
}

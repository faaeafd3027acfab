import { pathToFileURL } from 'node:url';

/** One sample of a profile: its frames, from the outermost to the one that ran. */
export type Stack = readonly string[];

const ROOT = new URL('../../../', import.meta.url).href;

/** Frames that say how V8 and Node call, and nothing of what is done. */
const BETWEEN =
  /^(?:Builtins_(?:JSEntry|JSEntryTrampoline|InterpreterEntryTrampoline|CallApiCallback\w*|HandleApi\w*|RunMicrotasks|JSRunMicrotasksEntry|Call_\w+|CallFunction_\w+|ArgumentsAdaptor\w*|ReflectApply|FunctionPrototypeApply)|v8::internal::\(anonymous namespace\)::Invoke|v8::internal::Execution::|v8::internal::MicrotaskQueue::|v8::Function::Call|node::InternalCallbackScope|node::InternalMakeCallback|node::MakeCallback|node::AsyncWrap::MakeCallback|entry_SYSCALL_64_after_hwframe|do_syscall_64|x64_sys_call|\[unknown\])/;

/**
 * Reads what `perf script -F ip,sym,dso` printed of a process that ran with `--perf-basic-prof`.
 *
 * @returns one stack for each sample, from the event loop inwards
 */
export function readPerfScript(text: string): Stack[] {
  return text
    .split('\n\n')
    .map((sample) => {
      const frames = sample
        .split('\n')
        .map((line) => /^\s+[0-9a-f]+ (.+) \(([^()]*)\)$/.exec(line))
        .flatMap((match) => (match === null ? [] : [frameOf(match[1] ?? '', match[2] ?? '')]))
        .filter((frame) => !BETWEEN.test(frame))
        .reverse();
      const loop = frames.findIndex((frame) => frame.startsWith('uv_run'));
      return frames.slice(loop + 1);
    })
    .filter(({ length }) => length > 0);
}

/** A symbol without arguments, templates and addresses; of our own code the function and its file. */
function frameOf(symbol: string, dso: string): string {
  const script = /^JS:[\^~*+]?(.*?) ?((?:file:\/\/|node:|\/)\S+?)?(?::\d+:\d+)?$/.exec(symbol);
  if (script) {
    const [, name = '', place = ''] = script;
    // CommonJS modules stand there by their path, others by their URL: neither says where this checkout is.
    const url = place.startsWith('/') ? pathToFileURL(place).href : place;
    const file = url.startsWith(ROOT) ? url.slice(ROOT.length) : url;
    return `${name || '(anonymous)'} ${file}`.trim();
  }
  const plain = symbol.replace(/\+0x[0-9a-f]+$/, '').replace(/\{lambda.*$/, '');
  let depth = 0;
  let name = '';
  for (const character of plain.replaceAll('(anonymous namespace)', '…')) {
    if (character === '<' || character === '(') depth += 1;
    if (depth === 0) name += character;
    if (character === '>' || character === ')') depth -= 1;
  }
  return dso.includes('kernel') || dso.includes('vmlinux') ? `${name} [kernel]` : name;
}

/** What a block of the profile is, by the frame that ran and those around it; the first that matches. */
const BLOCKS: readonly (readonly [string, RegExp, RegExp?])[] = [
  ['kernel: reading sockets', /\[kernel\]/, /(?:sys_read|sys_recv|tcp_recvmsg)\w* \[kernel\]/],
  ['kernel: writing sockets', /\[kernel\]/, /(?:sys_write|sys_send|tcp_sendmsg)\w* \[kernel\]/],
  ['kernel: waiting for sockets', /\[kernel\]/, /epoll\w* \[kernel\]/],
  ['kernel: memory', /\[kernel\]/, /(?:page_fault|mmap|munmap|madvise|brk)\w* \[kernel\]/],
  ['kernel: timers and the rest', /\[kernel\]/],
  ['collector, young memory', /./, /v8::internal::(?:Heap::Scavenge|Scaveng)/],
  [
    'collector, all memory',
    /./,
    /v8::internal::(?:Heap::(?:Collect|Perform|Scavenge|MarkCompact)|Scavenger|MarkCompact|MinorMark|IncrementalMarking|Sweeper|ScavengerCollector|ArrayBufferSweeper)/,
  ],
  ['SHA-256 of the signature', /sha256/i],
  ['MD5 of aggregates', /md5/i],
  ['CRC of payloads', /crc32/i],
  ['TLS: cipher', /aes|gcm|ghash|chacha|poly1305/i],
  ['base64', /base64/i],
  [
    'copies: writing to TLS',
    /mem(?:cpy|move|set)/,
    /TLSWrap::(?:DoWrite|EncOut|DoTryWrite)|SSL_write/,
  ],
  ['copies: reading from TLS', /mem(?:cpy|move|set)/, /TLSWrap|SSL_read|BIO/],
  ['copies: elsewhere', /mem(?:cpy|move|set)/],
  [
    'TLS: records and buffers',
    /^(?:SSL_|ssl|tls|BIO_|EVP_|ossl|CRYPTO_|OPENSSL_|ERR_|ASN1|WPACKET|PACKET|node::crypto::(?:NodeBIO|TLSWrap))/,
  ],
  ['TLS: records and buffers', /./, /TLSWrap::ClearOut$|SSL_read_ex|SSL_write_ex/],
  ['libuv', /^uv_/],
  ['compiling', /./, /v8::internal::(?:compiler|Compiler|OptimizingCompile|maglev|Turbofan)/],
];

/** The name of the block a sample belongs to: one of BLOCKS, or the file whose code ran. */
export function blockOf(stack: Stack): string {
  const leaf = stack.at(-1) ?? '';
  const code = stack.findLastIndex((frame) => /\.ts$| node:\S+$/.test(frame));
  // Reading from TLS calls our code with what it has read: what runs there is none of TLS any more.
  const native = stack.slice(code + 1);
  for (const [name, running, around] of BLOCKS) {
    if (native.length === 0) break;
    if (running.test(leaf) && (!around || native.some((frame) => around.test(frame)))) return name;
  }
  // What V8's own functions do is done for the nearest code that called them.
  const file = stack[code]?.split(' ').at(-1);
  return file ?? 'V8 and Node, outside of any code';
}

export interface Block {
  readonly name: string;
  /** Of all samples, 0 to 1. */
  readonly share: number;
}

/** The blocks of a profile, largest first. */
export function blocksOf(stacks: readonly Stack[]): Block[] {
  const counts = new Map<string, number>();
  for (const stack of stacks) {
    const name = blockOf(stack);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, count]) => ({ name, share: count / stacks.length }))
    .sort((a, b) => b.share - a.share);
}

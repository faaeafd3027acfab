import type { Aws } from '../aws/aws.ts';
import type { MemoryServer, PlainAnswer, Question } from '../net/http.ts';
import type { Link, LinkEnd } from '../net/link.ts';
import type { Recorder } from '../recorder.ts';
import type { Machine } from './machine.ts';
import type { Scheduler } from './scheduler.ts';

interface Accepted {
  readonly end: LinkEnd;
  attach(link: Link): void;
}

type Acceptor = (path: readonly string[]) => Accepted | undefined;

const FIRST_PORT = 20_000;

/** Everything that is not inside a process: time, the network, AWS, and the history. There is one in a run. */
export class World {
  readonly scheduler: Scheduler;
  readonly recorder: Recorder;
  /** Open WebSockets. */
  readonly links = new Set<Link>();
  /** One way over the network, ms; drawn anew for each message. */
  readonly latencyMs: () => number;
  aws!: Aws;
  /** The connection on which the simulated Zoom has sent last, or holds back what it would have sent. */
  lastServerLink: Link | undefined;
  /** Does Kinesis take nothing now? */
  isKinesisDown: () => boolean = () => false;
  /** Told of every HTTP answer. */
  onAnswer: (asker: Machine, question: Question, status: number) => void = () => {};
  /** What becomes of a dial; undefined: nothing special. `silent`: nobody answers it. */
  dialFate: (rtmsStreamId: string) => 'silent' | 'refused' | undefined = () => undefined;
  readonly #servers = new Map<number, MemoryServer>();
  readonly #acceptors = new Map<number, Acceptor>();
  readonly #routes = new Map<string, (question: Question) => PlainAnswer | undefined>();
  #ids = 0;

  constructor(scheduler: Scheduler, recorder: Recorder, latencyMs: () => number) {
    this.scheduler = scheduler;
    this.recorder = recorder;
    this.latencyMs = latencyMs;
  }

  nextId(): number {
    return ++this.#ids;
  }

  listen(server: MemoryServer, port: number): number {
    const bound = port || FIRST_PORT + this.nextId();
    this.#servers.set(bound, server);
    return bound;
  }

  unlisten(port: number): void {
    this.#servers.delete(port);
  }

  server(port: number): MemoryServer | undefined {
    return this.#servers.get(port);
  }

  /** Answers requests to a host without a process behind it. An answer that is undefined resets the connection. */
  serveHost(host: string, answer: (question: Question) => PlainAnswer | undefined): void {
    this.#routes.set(host, answer);
  }

  route(host: string) {
    return this.#routes.get(host);
  }

  listenForSockets(port: number, accept: Acceptor): number {
    const bound = port || FIRST_PORT + this.nextId();
    this.#acceptors.set(bound, accept);
    return bound;
  }

  accept(port: number, path: readonly string[]): Accepted | 'silent' | undefined {
    const fate = this.dialFate(path[0] ?? '');
    if (fate === 'silent') return 'silent';
    return fate === 'refused' ? undefined : this.#acceptors.get(port)?.(path);
  }
}

let theWorld: World | undefined;

export function world(): World {
  if (theWorld === undefined) throw new Error('there is no world yet');
  return theWorld;
}

export function createWorld(
  scheduler: Scheduler,
  recorder: Recorder,
  latencyMs: () => number,
): World {
  theWorld = new World(scheduler, recorder, latencyMs);
  return theWorld;
}

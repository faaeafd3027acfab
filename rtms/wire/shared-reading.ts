import { createSecureContext, type SecureContext } from 'node:tls';
import { ReadBudget } from './read-budget.ts';
import { WakePhases } from './wake-phases.ts';

/**
 * What the sockets of one process share. There is one instance, which the wiring does not pass in, because its parts
 * belong to the process and not to a client: there is one event loop to divide (budget, phases), only one socket reads
 * at any moment (buffer), and clients that know nothing of each other trust the same certificates (contexts).
 */
class SharedReading {
  /**
   * All sockets read into this one buffer. A whole message is handed on where it lies, and a part of one is copied, before
   * the next read overwrites it. TLS never delivers more than one record of 16 KiB at once.
   */
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  readonly budget: ReadBudget = new ReadBudget();
  readonly #contexts = new Map<string | Buffer | undefined, SecureContext>();
  readonly #phases = new Map<number, WakePhases>();

  /** One context for all connections that trust the same certificates: making a context costs more than a connection. */
  contextFor(ca: string | Buffer | undefined): SecureContext {
    let context = this.#contexts.get(ca);
    if (context === undefined) {
      context = createSecureContext(ca === undefined ? {} : { ca });
      this.#contexts.set(ca, context);
    }
    return context;
  }

  /** The phases of all sockets that rest for this long, ms. */
  phasesOf(restMs: number): WakePhases {
    let phases = this.#phases.get(restMs);
    if (phases === undefined) {
      phases = new WakePhases(restMs);
      this.#phases.set(restMs, phases);
    }
    return phases;
  }
}

export const sharedReading = new SharedReading();

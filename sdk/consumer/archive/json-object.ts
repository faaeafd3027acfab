import * as v from 'valibot';
import { ServiceError } from '../../../shared/errors.ts';

/**
 * The small JSON objects of an archive: manifests, proofs of deletion, links, and what expired. They are read by other versions
 * of this program too, so each has a `version`, and fields that are not known are kept out of the way.
 */

/**
 * Reads one of them.
 *
 * @throws ServiceError `archive/damaged` that names the object and the wrong field
 */
export function parseJsonObject<const Schema extends v.GenericSchema>(
  schema: Schema,
  bytes: Buffer,
  key: string,
): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (cause) {
    throw damaged(key, 'is no JSON', cause);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  throw damaged(key, `is wrong at ${v.getDotPath(result.issues[0]) ?? 'the whole'}`);
}

/** The bytes of such an object, for people who open it. */
export function indentedJsonObject(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
}

/** The bytes of such an object. */
export function jsonObject(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

export function damaged(key: string, what: string, cause?: unknown): ServiceError {
  return new ServiceError('archive/damaged', `${key} ${what}`, { cause, detail: { key } });
}

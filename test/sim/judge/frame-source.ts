import type { WrittenUnit } from '../history.ts';

const names = new Map<string, Map<string, string>>();

/** Names the source of a unit with its media type. The name of a source is made once, since two judges ask for it with each frame. */
export function frameSource({ type, source = '' }: Pick<WrittenUnit, 'type' | 'source'>): string {
  let ofType = names.get(type);
  if (ofType === undefined) {
    ofType = new Map();
    names.set(type, ofType);
  }
  let name = ofType.get(source);
  if (name === undefined) {
    name = `${type} ${source}`;
    ofType.set(source, name);
  }
  return name;
}

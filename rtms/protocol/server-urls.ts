/** A comma inside an address is not followed by a scheme. */
const BETWEEN_ADDRESSES = /,(?=\s*[a-z][a-z0-9+.-]*:\/\/)/i;

/**
 * The addresses in a field of Zoom's: one text, several in one text with commas, a list, or an object of
 * addresses. None of them is checked.
 */
export function readServerUrls(value: unknown): string[] {
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return texts
    .flatMap((text) => (Array.isArray(text) ? text : [text]))
    .filter((text): text is string => typeof text === 'string')
    .flatMap((text) => text.split(BETWEEN_ADDRESSES))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

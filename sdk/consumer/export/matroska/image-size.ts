import { ServiceError } from '../../../../shared/errors.ts';
import type { VideoSize } from '../meeting-file/mp4-boxes.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Reads the size of a picture from its head.
 *
 * @throws ServiceError `export/unsupported` for bytes that are neither a JPG nor a PNG
 * @see ITU-T T.81, B.2 (JPEG); RFC 2083, 4.1.1 (PNG)
 */
export function imageSize(bytes: Buffer): VideoSize {
  if (bytes.length >= 24 && bytes.subarray(0, 8).equals(PNG))
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  // Each segment is 0xff, its name, and its length, which counts itself.
  for (let at = 2; at + 9 <= bytes.length && bytes.readUInt16BE(0) === 0xffd8; ) {
    const name = bytes.readUInt16BE(at);
    if (isFrame(name))
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    if (name < 0xff01) break;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  throw new ServiceError('export/unsupported', 'neither a JPG nor a PNG');
}

/** Whether a segment begins the picture. Three of the sixteen names are of tables. */
function isFrame(name: number): boolean {
  return name >= 0xffc0 && name <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(name);
}

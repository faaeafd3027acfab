/** What the decoders of pictures give: four bytes a pixel, red, green, blue and alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/**
 * What H.264 is made of: the brightness (luma) of each pixel, then the two colors (chroma) of each two by two pixels. Width and
 * height are even.
 */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Converts as BT.601 says, with luma from 16 to 235. Leaves out the last column and row of odd sizes: H.264 has one color for
 * each two by two pixels. The encoder converts too, but would be given 4 bytes a pixel instead of 1.5, and its library
 * copies each byte in a loop of JavaScript, which takes longer than this.
 */
export function planesOf(pixels: Pixels): Planes {
  const [width, height] = [pixels.width & ~1, pixels.height & ~1];
  // Reads a pixel at once. Red is in the lowest bits on all machines that Node runs on.
  const { buffer, byteOffset } = pixels.data;
  const rgba = new Uint32Array(buffer, byteOffset, pixels.width * pixels.height);
  const luma = width * height;
  const data = new Uint8Array(luma * 1.5);
  let [blue, red] = [luma, luma * 1.25];
  for (let y = 0; y < height; y += 2) {
    let [above, to] = [y * pixels.width, y * width];
    for (let x = 0; x < width; x += 2, above += 2, to += 2) {
      const below = above + pixels.width;
      const a = rgba[above] as number;
      const b = rgba[above + 1] as number;
      const c = rgba[below] as number;
      const d = rgba[below + 1] as number;
      data[to] = lumaOf(a);
      data[to + 1] = lumaOf(b);
      data[to + width] = lumaOf(c);
      data[to + width + 1] = lumaOf(d);
      // The sums of four values each, of red and blue side by side: they are 10 bits long.
      const redBlue = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
      const r = redBlue & 0x3ff;
      const bl = redBlue >>> 16;
      const g = ((a >>> 8) & 255) + ((b >>> 8) & 255) + ((c >>> 8) & 255) + ((d >>> 8) & 255);
      data[blue++] = (112 * bl - 74 * g - 38 * r + 0x20200) >> 10;
      data[red++] = (112 * r - 94 * g - 18 * bl + 0x20200) >> 10;
    }
  }
  return { width, height, data };
}

/** @param rgba one pixel, red in its lowest bits @returns 16 to 235 */
function lumaOf(rgba: number): number {
  return (
    (66 * (rgba & 255) + 129 * ((rgba >>> 8) & 255) + 25 * ((rgba >>> 16) & 255) + 0x1080) >> 8
  );
}

/** One of so many pixels is looked at. It divides no usual width, so the points lie in all columns. */
const STRIDE = 61;

/** Luma that differs by no more than this may be the same picture, compressed anew. */
const NOTICEABLE = 16;

/** Whether less than a sixteenth of a picture differs from another one, so that few bytes tell how. */
export function isMostlySame(one: Planes, other: Planes): boolean {
  if (one.width !== other.width || one.height !== other.height) return false;
  const end = one.width * one.height;
  let changed = 0;
  for (let at = 0; at < end; at += STRIDE) {
    const difference = (one.data[at] as number) - (other.data[at] as number);
    if (difference > NOTICEABLE || difference < -NOTICEABLE) changed += STRIDE;
  }
  return changed * 16 < end;
}

/**
 * Reads one field of a cron expression as EventBridge does: values, ranges and lists of them, each with a step.
 *
 * @param names of the values from `least` on
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

/** Is it a time zone that this machine's tables know? */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

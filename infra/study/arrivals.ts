/** One meeting of the simulation; seconds count from its beginning. */
export interface MeetingArrival {
  readonly startsAtSecond: number;
  readonly lastsSeconds: number;
}

/** Shares of meetings that start around the full and the half hour, which calendars offer first; our assumption. */
const FULL_HOUR_SHARE = 0.55;
const HALF_HOUR_SHARE = 0.25;
/** People come from one minute early to four minutes late. */
const EARLY_SECONDS = 60;
const SPREAD_SECONDS = 300;
const DURATIONS_MINUTES = [25, 50, 50, 80] as const;
const DURATION_SPREAD_SECONDS = 300;

/**
 * Random meetings of some hours of office time. The first hour begins after `quietSeconds`.
 *
 * @returns meetings sorted by start
 */
export function officeMeetings(options: {
  readonly perHour: number;
  readonly hours: number;
  readonly quietSeconds: number;
  readonly random: () => number;
}): MeetingArrival[] {
  const { perHour, hours, quietSeconds, random } = options;
  const meetings: MeetingArrival[] = [];
  for (let hour = 0; hour < hours; hour += 1) {
    for (let index = 0; index < perHour; index += 1) {
      const startsAtSecond = quietSeconds + hour * 3600 + startInHour(random);
      const minutes = DURATIONS_MINUTES[Math.floor(random() * DURATIONS_MINUTES.length)] ?? 50;
      const spread = (random() - 0.5) * 2 * DURATION_SPREAD_SECONDS;
      meetings.push({ startsAtSecond, lastsSeconds: Math.round(minutes * 60 + spread) });
    }
  }
  return meetings.sort((a, b) => a.startsAtSecond - b.startsAtSecond);
}

function startInHour(random: () => number): number {
  const kind = random();
  if (kind > FULL_HOUR_SHARE + HALF_HOUR_SHARE) return Math.floor(random() * 3600);
  const start = kind < FULL_HOUR_SHARE ? 0 : 1800;
  return start - EARLY_SECONDS + Math.floor(random() * SPREAD_SECONDS);
}

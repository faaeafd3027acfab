import { useEffect, useRef, useState } from 'preact/hooks';
import type { MeetingPlayer, SpeakerState } from './meeting-player.ts';
import type { VideoState } from './video-player.ts';

const REFRESH_MS = 100;

/** Who speaks, and whom to listen to. */
export function Speakers({ player }: { player: MeetingPlayer }) {
  const [speakers, setSpeakers] = useState<readonly SpeakerState[]>([]);
  const [heard, setHeard] = useState<string>();
  useEffect(() => {
    const timer = setInterval(() => setSpeakers(player.speakers()), REFRESH_MS);
    return () => clearInterval(timer);
  }, [player]);
  const listen = (source: string) => {
    const next = heard === source ? undefined : source;
    setHeard(next);
    player.listen(next);
  };
  return (
    <section aria-labelledby="speakers-title">
      <h2 id="speakers-title">Who speaks</h2>
      {speakers.length === 0 && <p class="note">No audio is read yet.</p>}
      {speakers.length > 1 && (
        <ListenButton
          label="everybody"
          text="▶ everybody"
          isOn={heard === 'mix'}
          onPress={() => listen('mix')}
        />
      )}
      <ul class="speakers">
        {[...speakers]
          .sort((a, b) => a.who.localeCompare(b.who))
          .map(({ source, who, level, speaks }) => (
            <li key={source} class={speaks ? 'speaks' : ''}>
              <span class="who">{who}</span>
              <span class="meter" aria-hidden="true">
                <span
                  class="meter-fill"
                  style={{ width: `${Math.max(0, Math.min(100, (level + 60) * 1.8))}%` }}
                />
              </span>
              <span class="speaks-word">{speaks ? 'speaks' : ''}</span>
              <ListenButton
                label={who}
                text="▶ listen"
                isOn={heard === source}
                onPress={() => listen(source)}
              />
            </li>
          ))}
      </ul>
    </section>
  );
}

function ListenButton({
  label,
  text,
  isOn,
  onPress,
}: {
  label: string;
  text: string;
  isOn: boolean;
  onPress: () => void;
}) {
  return (
    <button
      type="button"
      class="listen"
      aria-pressed={isOn}
      aria-label={`Listen to ${label}`}
      onClick={onPress}
    >
      {isOn ? '◼ stop' : text}
    </button>
  );
}

/** The share first: it is large, and would push the cameras about when it comes later. */
function inOrder(videos: readonly VideoState[]): VideoState[] {
  return videos.toSorted(
    (a, b) => a.mediaType.localeCompare(b.mediaType) || a.source.localeCompare(b.source),
  );
}

/** Cameras and share. */
export function Pictures({
  player,
  nameOf,
}: {
  player: MeetingPlayer;
  nameOf: (source: string) => string;
}) {
  const [videos, setVideos] = useState<readonly VideoState[]>([]);
  useEffect(() => {
    const timer = setInterval(() => setVideos(inOrder(player.videos())), REFRESH_MS * 5);
    return () => clearInterval(timer);
  }, [player]);
  return (
    <section aria-labelledby="pictures-title">
      <h2 id="pictures-title">Cameras and share</h2>
      {videos.length === 0 && (
        <p class="note">No picture is read yet: a camera shows from its next key frame on.</p>
      )}
      <div class="pictures">
        {videos.map((video) => (
          <Picture
            key={video.source}
            player={player}
            video={video}
            name={video.who || nameOf(video.source)}
          />
        ))}
      </div>
    </section>
  );
}

function Picture({
  player,
  video,
  name,
}: {
  player: MeetingPlayer;
  video: VideoState;
  name: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { source, mediaType, codec, problem } = video;
  useEffect(() => {
    const shown = player.video(source);
    if (shown === undefined || canvas.current === null) return;
    shown.canvas = canvas.current;
    return () => {
      shown.canvas = undefined;
    };
  }, [player, source]);
  const what = mediaType === 'video' ? `camera of ${name}` : `share of ${name}`;
  return (
    <figure class={`picture picture-${mediaType}`}>
      <canvas
        ref={canvas}
        width={320}
        height={180}
        role="img"
        aria-label={what}
        data-source={source}
      />
      <figcaption>
        {what} <small>{problem ?? (codec.startsWith('avc1') ? 'H264' : codec)}</small>
      </figcaption>
    </figure>
  );
}

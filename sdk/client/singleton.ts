import { Client } from './client.ts';

/** The methods that Zoom's SDK also offers as functions of the module. */
const METHODS = [
  'join',
  'leave',
  'poll',
  'uuid',
  'streamId',
  'setAudioParams',
  'setVideoParams',
  'setDeskshareParams',
  'setTranscriptParams',
  'setProxy',
  'enableAudio',
  'enableVideo',
  'enableDeskshare',
  'enableTranscript',
  'enableChat',
  'subscribeVideo',
  'subscribeEvent',
  'unsubscribeEvent',
  'onJoinConfirm',
  'onSessionUpdate',
  'onUserUpdate',
  'onAudioData',
  'onVideoData',
  'onDeskshareData',
  'onTranscriptData',
  'onChatData',
  'onLeave',
  'onEventEx',
  'onParticipantEvent',
  'onActiveSpeakerEvent',
  'onSharingEvent',
  'onMediaConnectionInterrupted',
  'onParticipantVideo',
  'onVideoSubscribed',
  'onEnded',
  'onInterrupted',
  'onReconnected',
  'onGap',
  'onDropped',
  'onError',
] as const satisfies readonly (keyof Client)[];

type Singleton = Pick<Client, (typeof METHODS)[number]>;

const client = new Client();

/** `rtms.join(…)`, `rtms.onAudioData(…)`: for programs with one stream. All of them act on one client of the module. */
export const singleton = Object.fromEntries(
  METHODS.map((name) => [name, client[name].bind(client)]),
) as unknown as Singleton;

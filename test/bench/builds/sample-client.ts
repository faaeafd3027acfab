/** An RTMS client as Zoom's samples write it: `ws`, JSON.parse, a handler per message. */
import WebSocket from 'ws';
import { mediaTypeBits } from '../../../rtms/connection/media-plan.ts';
import { MESSAGE_TYPE } from '../../../rtms/protocol/constants.ts';
import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import { wantedMediaTypes } from '../../../rtms/protocol/params.ts';
import type { BenchSession } from './build.ts';

// biome-ignore lint/suspicious/noExplicitAny: that is how the samples do it
type Message = any;

/** @param onContent the `content` of every media message */
export function joinLikeASample(
  { rtmsStreamId, signalingUrl, media }: BenchSession,
  onContent: (content: Message) => unknown,
): Promise<void> {
  const joined = Promise.withResolvers<void>();
  const identity = { meeting_uuid: 'bench', rtms_stream_id: rtmsStreamId, signature: 'bench' };
  const signaling = converse(signalingUrl, (message) => {
    if (message.msg_type !== MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP) return;
    const urls: Record<string, string> = message.media_server.server_urls;
    void Promise.all(wantedMediaTypes(media).map((type) => joinMedia(type, urls[type] ?? ''))).then(
      () => {
        const msg_type = MESSAGE_TYPE.CLIENT_READY_ACK;
        signaling.send(JSON.stringify({ msg_type, rtms_stream_id: rtmsStreamId }));
        joined.resolve();
      },
    );
  });
  signaling.on('open', () => {
    const msg_type = MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ;
    signaling.send(JSON.stringify({ msg_type, protocol_version: 1, sequence: 1, ...identity }));
  });

  function joinMedia(type: MediaType, url: string): Promise<void> {
    const accepted = Promise.withResolvers<void>();
    const socket = converse(url, (message) => {
      if (message.msg_type === MESSAGE_TYPE.DATA_HAND_SHAKE_RESP) accepted.resolve();
      else if (message.content !== undefined) onContent(message.content);
    });
    socket.on('open', () => {
      const msg_type = MESSAGE_TYPE.DATA_HAND_SHAKE_REQ;
      const media_type = mediaTypeBits([type]);
      socket.send(JSON.stringify({ msg_type, protocol_version: 1, media_type, ...identity }));
    });
    return accepted.promise;
  }
  return joined.promise;
}

function converse(url: string, onMessage: (message: Message) => void): WebSocket {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.msg_type === MESSAGE_TYPE.KEEP_ALIVE_REQ) {
      const msg_type = MESSAGE_TYPE.KEEP_ALIVE_RESP;
      socket.send(JSON.stringify({ msg_type, timestamp: message.timestamp }));
    } else onMessage(message);
  });
  return socket;
}

import type { MiddlewareObj } from '@middy/core';
import { ServiceError } from '../../shared/errors.ts';
import type { VerifyingApp, ZoomApps } from '../../shared/zoom/credentials.ts';
import { verifyWebhook, type WebhookVerdict } from '../../shared/zoom/webhook-signature.ts';
import type { ZoomDelivery } from './delivery.ts';
import type { WebhookTokens } from './webhook-tokens.ts';

/**
 * Lets through only what one of the app's secret tokens signed, over the raw bytes, within `maxSkewSeconds` of our clock.
 * An unknown app is refused like a wrong signature, so that the names of apps cannot be guessed. When a signature fits
 * no token the secret is read again, at most every 30 s, so that a rotation needs no deployment.
 */
export function verifySignature(options: {
  readonly tokens: WebhookTokens;
  readonly maxSkewSeconds: number;
}): MiddlewareObj<ZoomDelivery> {
  const { tokens, maxSkewSeconds } = options;
  return {
    before: async ({ event }) => {
      const judge = (contents: ZoomApps<VerifyingApp>): WebhookVerdict =>
        verifyWebhook(
          {
            timestamp: event.headers['x-zm-request-timestamp'],
            signature: event.headers['x-zm-signature'],
            rawBody: event.rawBody,
          },
          contents.apps.get(event.app)?.webhookSecretTokens ?? [],
          { nowMs: Date.now(), maxSkewSeconds },
        );
      let verdict = judge(await tokens.get());
      if (verdict.verdict === 'forged') {
        const fresh = await tokens.refetch();
        if (fresh !== undefined) verdict = judge(fresh);
      }
      if (verdict.verdict !== 'genuine') throw refusal(verdict.verdict);
      event.secretToken = verdict.secretToken;
    },
  };
}

function refusal(verdict: 'unsigned' | 'stale' | 'forged'): ServiceError {
  const detail = { verdict };
  if (verdict === 'stale') {
    return new ServiceError('webhook/stale', 'signed too long ago, or in the future', { detail });
  }
  return new ServiceError('webhook/bad-signature', 'no valid signature', { detail });
}

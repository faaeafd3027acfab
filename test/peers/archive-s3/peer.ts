import assert from 'node:assert/strict';
import { awsPrograms, startMoto } from '../emulators.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { type BucketKind, clientOf, deleteSession } from './deletion-runs.ts';

/** Buckets, and whether all of a session is gone: first without, then with the right to pass over governance mode. */
const RUNS: readonly (BucketKind & { readonly isGone: readonly [boolean, boolean] })[] = [
  { name: 'never', versions: 'never', isGone: [true, true] },
  { name: 'always', versions: 'always', isGone: [true, true] },
  { name: 'later', versions: 'later', isGone: [true, true] },
  { name: 'governance', versions: 'always', lock: 'GOVERNANCE', isGone: [false, true] },
  { name: 'compliance', versions: 'always', lock: 'COMPLIANCE', isGone: [false, false] },
];
/** A delete marker is no version of an object: Object Lock does not protect it. */
const MARKERS = 1;

/** The archive's deletion in buckets that the local S3 does not know: with versions, and with Object Lock. */
export const archiveS3Peer: Peer = {
  name: 'archive-s3',
  needs: ['python'],
  isTimeless: true,
  install: awsPrograms,
  defects: [
    'In a bucket whose versions were switched on after a session had been archived, a revocation put delete markers over its first versions and left them there: the version `null` was not named (`sdk/consumer/archive/object-store.ts`). The proof said so (`left`).',
    'Where S3 does not say which version of a key it has refused, `kept` said `NewSinceListed` and not why.',
  ],
  async run({ say }) {
    const moto = await startMoto();
    const client = clientOf(moto.url);
    const { software, version } = moto;
    const lines: ProofLine[] = [];
    let deleted = 0;
    const left: string[] = [];
    for (const { isGone, ...kind } of RUNS) {
      for (const [index, bypasses] of [false, true].entries()) {
        const { versions, record } = await deleteSession(client, kind, bypasses);
        const { name } = kind;
        if (isGone[index]) {
          assert.deepEqual([record.left, record.kept], [0, []], name);
          assert.equal(record.deleted.length, versions, name);
          deleted += versions;
          continue;
        }
        assert.equal(record.left, versions - MARKERS, name);
        assert.deepEqual(
          new Set(record.kept.map(({ why }) => why)),
          new Set(['AccessDenied']),
          name,
        );
        left.push(
          `${name}${bypasses ? ' with the right to pass over governance' : ''} ${record.left}`,
        );
      }
      say(`${kind.name}: as wanted`);
    }
    client.destroy();
    moto.stop();
    const names = RUNS.map(({ name }) => name).join(', ');
    lines.push({
      software,
      version,
      what: 'A session that is taken back is deleted in every version, in buckets with versions, without, and where they were switched on later, and under Object Lock in governance mode with the right for it.',
      figures: `buckets ${names}: ${deleted} versions and delete markers deleted, 0 left`,
    });
    lines.push({
      software,
      version,
      what: 'Under Object Lock in compliance mode, and in governance mode without that right, the versions stay, and the record names each with the word of S3.',
      figures: `left: ${left.join(', ')}; all AccessDenied`,
    });
    return lines;
  },
};

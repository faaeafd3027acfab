import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { IConstruct } from 'constructs';
import { bundle } from './bundle.ts';
import { fromRoot } from './bundle-options.ts';

/** The tag that `runner/Dockerfile` names; a digest makes it exact. */
const BASE_IMAGE = 'public.ecr.aws/docker/library/node:24-bookworm-slim';

/** The runner's image: synth only bundles and hashes; Docker builds it when the stack is deployed. */
export function runnerImage(
  scope: IConstruct,
  baseImageDigest: string | undefined,
): ContainerImage {
  const directory = bundle(scope, 'runner/main.ts', 'fargate');
  copyFileSync(fromRoot('runner/Dockerfile'), join(directory, 'Dockerfile'));
  return ContainerImage.fromAsset(directory, {
    platform: Platform.LINUX_ARM64,
    ...(baseImageDigest !== undefined && {
      buildArgs: { BASE: `${BASE_IMAGE}@${baseImageDigest}` },
    }),
  });
}

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { bundle } from '../bundling/bundle.ts';
import { fromRoot } from '../bundling/bundle-options.ts';
import { checkKinesisClient } from '../bundling/kinesis-client-version.ts';
import type { Config } from '../config/schema.ts';

/** The tag that `runner/Dockerfile` names; a digest makes it exact. */
const BASE_IMAGE = 'public.ecr.aws/docker/library/node:24-bookworm-slim';

/** In the image beside the runner, so that both are of one release and one image is all there is to publish. */
export const SYNTHETIC_MEETING_FILE = 'synthetic-meeting.mjs';

/** A private ECR repository: account, Region, name, tag or digest. */
const ECR_URI = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)[:@](.+)$/;

/**
 * The runner's image: a published one where the configuration names it, so that a deployment needs no Docker.
 * Otherwise synth only bundles and hashes; Docker builds it when the stack is deployed.
 */
export function runnerImage(scope: Construct, runner: Config['runner']): ContainerImage {
  const { imageUri, baseImageDigest, architecture } = runner;
  if (imageUri !== undefined) return publishedImage(scope, imageUri);
  checkKinesisClient();
  const directory = bundle(scope, 'runner/main.ts', 'fargate');
  const file = SYNTHETIC_MEETING_FILE;
  bundle(scope, 'functions/synthetic-meeting/main.ts', 'fargate', { directory, file });
  copyFileSync(fromRoot('runner/Dockerfile'), join(directory, 'Dockerfile'));
  // Becomes the spool's directory in the image. Docker copies no directory that CDK left out as empty.
  mkdirSync(join(directory, 'spool'), { recursive: true });
  writeFileSync(join(directory, 'spool', '.keep'), '');
  return ContainerImage.fromAsset(directory, {
    platform: architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    // Always named, so that it is part of the asset's hash: another base is another image.
    buildArgs: {
      BASE: baseImageDigest === undefined ? BASE_IMAGE : `${BASE_IMAGE}@${baseImageDigest}`,
    },
    // The same files for another processor are another image, too.
    invalidation: { platform: true, buildArgs: true },
  });
}

/** Of an ECR repository the execution role needs rights to pull; other registries are read by everybody. */
function publishedImage(scope: Construct, imageUri: string): ContainerImage {
  const [, account, region, repositoryName, tagOrDigest] = ECR_URI.exec(imageUri) ?? [];
  if (repositoryName === undefined || tagOrDigest === undefined) {
    return ContainerImage.fromRegistry(imageUri);
  }
  const repositoryArn = Stack.of(scope).formatArn({
    service: 'ecr',
    resource: 'repository',
    resourceName: repositoryName,
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
  });
  return ContainerImage.fromEcrRepository(
    Repository.fromRepositoryAttributes(scope, 'Image', { repositoryArn, repositoryName }),
    tagOrDigest,
  );
}

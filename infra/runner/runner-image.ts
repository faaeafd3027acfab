import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { checkKinesisClient, fromRoot } from '../bundling/bundle-options.ts';
import { bundle } from '../bundling/node-function.ts';
import type { Config } from '../config/schema.ts';

/** The same tag as in `runner/Dockerfile`. `runner.baseImageDigest` fixes which image it stands for. */
const BASE_IMAGE = 'public.ecr.aws/docker/library/node:26-bookworm-slim';

/** The synthetic meeting's program is in the runner's image: both are of one release, and one image is published. */
export const SYNTHETIC_MEETING_FILE = 'synthetic-meeting.mjs';
/** And so is the archiver's. */
export const ARCHIVER_FILE = 'archiver.mjs';

/** As in `runner/Dockerfile`: by number, because a host may not know the name. The owner of the spool's volume is the same. */
export const CONTAINER_USER = '1000:1000';

/** Address of an image in ECR: account, Region, name, tag or digest. */
const ECR_URI = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)[:@](.+)$/;

/**
 * The runner's image. Where the configuration names a published one, a deployment needs no Docker. Otherwise synth bundles
 * and hashes its contents, and Docker builds it when the stack is deployed.
 *
 * @throws ServiceError `config/invalid` when the installed Kinesis client is too old to be bundled
 */
export function runnerImage(scope: Construct, runner: Config['runner']): ContainerImage {
  const { imageUri, baseImageDigest, architecture } = runner;
  if (imageUri !== undefined) return publishedImage(scope, imageUri);
  checkKinesisClient();
  const directory = bundle(scope, 'runner/main.ts', 'fargate');
  const file = SYNTHETIC_MEETING_FILE;
  bundle(scope, 'functions/synthetic-meeting/main.ts', 'fargate', { directory, file });
  bundle(scope, 'functions/archiver/main.ts', 'fargate', { directory, file: ARCHIVER_FILE });
  copyFileSync(fromRoot('runner/Dockerfile'), join(directory, 'Dockerfile'));
  // Becomes the spool's directory in the image. Docker copies no directory that CDK left out as empty.
  mkdirSync(join(directory, 'spool'), { recursive: true });
  writeFileSync(join(directory, 'spool', '.keep'), '');
  return ContainerImage.fromAsset(directory, {
    platform: architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    // Part of the asset's hash even when it is the default, so that another base makes another image.
    buildArgs: {
      BASE: baseImageDigest === undefined ? BASE_IMAGE : `${BASE_IMAGE}@${baseImageDigest}`,
    },
    // Without these the same files for another processor would count as the same image.
    invalidation: { platform: true, buildArgs: true },
  });
}

/** From ECR the execution role needs the right to pull. Other registries must let everybody pull. */
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

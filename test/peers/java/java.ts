import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWith } from '../command.ts';
import { digestOf } from '../digest.ts';
import { buildFolder, mavenOptions } from '../installs.ts';

/** Values that the local servers take, and that the AWS SDK for Java needs to have. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
};

const PROTO = fileURLToPath(new URL('../../../shared/record/media_record.proto', import.meta.url));

/** The programs of a Maven project. */
export interface JavaPrograms {
  /** What `java` is started with, for a main class with Java system properties and arguments. */
  command(
    mainClass: string,
    args: readonly string[],
    properties?: readonly string[],
  ): readonly ['java', readonly string[], { readonly env: Readonly<Record<string, string>> }];
}

/** Compiles the Maven project of this folder into the cache. */
export function buildJava(): Promise<JavaPrograms> {
  return buildMavenProject('java', fileURLToPath(new URL('.', import.meta.url)));
}

/** Compiles a Maven project that takes the property `out` as its folder, and copies the JARs that it needs to `lib` in it. */
export async function buildMavenProject(name: string, cwd: string): Promise<JavaPrograms> {
  const out = buildFolder(name);
  const stamp = join(out, 'sources.sha256');
  // Maven takes 20 s to find nothing to do, so it is asked only when something has changed.
  const sources = digestOf([join(cwd, 'pom.xml'), join(cwd, 'src'), PROTO]);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) {
    const goals = [`-Dout=${out}`, 'clean', 'prepare-package'];
    await installWith('mvn', [...mavenOptions(), '--quiet', ...goals], { cwd });
    writeFileSync(stamp, sources);
  }
  const classPath = [join(out, 'classes'), join(out, 'lib', '*')].join(':');
  return {
    command: (mainClass, args, properties = []) => [
      'java',
      ['-Xmx384m', ...properties, '-cp', classPath, mainClass, ...args],
      { env: ENVIRONMENT },
    ],
  };
}

/**
 * Replaces `@aws-sdk/credential-provider-node` in the Lambda bundle, through an esbuild alias. The credentials of a
 * function are always in its environment, and the SDK's own provider, with its STS, SSO and metadata clients, would be a
 * fifth of the bundle. Outside the bundle the SDK's own provider is used.
 */
export function defaultProvider() {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
      throw new Error('no AWS credentials in the environment');
    }
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
    };
  };
}

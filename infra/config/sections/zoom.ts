import * as v from 'valibot';
import {
  checkCameras,
  completeMediaRequest,
  type MediaRequest,
  UNKNOWN_FIELD,
} from '../../../rtms/protocol/params.ts';
import {
  completeProtocol,
  type ProtocolRequest,
} from '../../../rtms/protocol/protocol-settings.ts';
import { ZOOM_RECONCILE } from '../../../shared/env.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { parseAllowedHosts } from '../../../shared/zoom/allowed-hosts.ts';
import { ZOOM_API } from '../../../shared/zoom/api-credentials.ts';
import { NO_SUCH_KEY } from '../faults.ts';
import { acceptedText, count } from './field-kinds.ts';

/** Uses the parser of runners and webhook, so that no host is deployed that they refuse when they start. */
const HOST = acceptedText((host) => {
  try {
    return parseAllowedHosts(host).length === 1 && !host.includes(',');
  } catch {
    return false;
  }
}, 'a bare host name');

/** Short form of a media request: a type that is left out keeps its default, and `false` means not wanted. */
type MediaInput = {
  readonly [Type in keyof MediaRequest]?: false | Partial<Exclude<MediaRequest[Type], false>>;
};

const MEDIA = v.rawTransform<MediaInput, MediaRequest>(({ dataset, addIssue, NEVER }) => {
  try {
    return completeMediaRequest(dataset.value);
  } catch (error) {
    addIssue(issueOf(error, 'media', dataset.value));
    return NEVER;
  }
});

const PROTOCOL = v.rawTransform<object, ProtocolRequest>(({ dataset, addIssue, NEVER }) => {
  try {
    return completeProtocol(dataset.value);
  } catch (error) {
    addIssue(issueOf(error, 'protocol', dataset.value));
    return NEVER;
  }
});

/** Credentials are sent there, so never in the clear. */
const ADDRESS = acceptedText(
  (address) => URL.canParse(address) && new URL(address).protocol === 'https:',
  'an https address',
);

const FIELDS = v.strictObject({
  /** How to speak with each product: version, format, transport, names of event codes. */
  protocol: v.optional(
    v.pipe(
      v.custom<object>(() => true),
      PROTOCOL,
    ),
    {},
  ),
  /** Zoom's server addresses must lie under one of these hosts or its subdomains. */
  allowedHosts: v.optional(v.pipe(v.array(HOST), v.minLength(1)), [
    'zoom.us',
    'zoom.com',
    'zoomgov.com',
  ]),
  /** A webhook's timestamp may differ from our clock by this many seconds, either way. */
  maxClockSkewSeconds: v.optional(count, 300),
  /**
   * Webhook and runners read the secrets again after this many seconds, 30 to 3600. While a secret still holds its
   * placeholder they read it every 30 s.
   */
  secretRefreshSeconds: v.optional(v.pipe(count, v.minValue(30), v.maxValue(3_600)), 600),
  /** Zoom's REST API and its OAuth endpoint; another one for accounts of Zoom for Government. */
  apiUrl: v.optional(ADDRESS, ZOOM_API.apiUrl),
  oauthUrl: v.optional(ADDRESS, ZOOM_API.oauthUrl),
  /**
   * What to do every five minutes about meetings that Zoom says are live and of which no stream has ever come: `report` them,
   * or also `start` their stream. Needs `apps.<name>.api` in the Zoom secret.
   */
  reconcile: v.optional(v.picklist(ZOOM_RECONCILE), 'off'),
  /** What to ask Zoom for; media types and fields that are left out keep the default of `RTMS_MEDIA`. */
  media: v.optional(
    v.pipe(
      v.custom<MediaInput>(() => true),
      MEDIA,
    ),
    {},
  ),
});

/** The `zoom` section. How many cameras are allowed depends on the protocol, so one rule looks at both. */
export const ZOOM = v.pipe(
  FIELDS,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { media, protocol } = dataset.value;
    try {
      checkCameras(media, protocol);
    } catch (error) {
      const { message, path } = issueOf(error, 'media', media);
      addIssue({ message, ...(path && { path: [pathItem('media', dataset.value), ...path] }) });
    }
  }),
);

/** An issue that `faults.ts` can describe, from what a parser of `rtms/protocol/` refused. */
function issueOf(error: unknown, root: string, input: unknown) {
  if (!(error instanceof ServiceError)) throw error;
  const { field, value, allowed } = error.detail;
  const isKey = String(field).endsWith(' key');
  const path = pathTo(String(field).replace(/ key$/, ''), root, input);
  const known = [allowed].flat().join(', ');
  const message =
    value === UNKNOWN_FIELD
      ? `${NO_SUCH_KEY} ${known}`
      : `allowed ${isKey ? 'as a key ' : ''}is ${known}`;
  return { message, ...(path && { path }) };
}

/** `audio.codec` as valibot's path below `media`; undefined when the field is the whole request. */
function pathTo(
  field: string,
  root: string,
  input: unknown,
): [v.IssuePathItem, ...v.IssuePathItem[]] | undefined {
  const [first, ...rest] = field.split('.');
  const keys = first === root ? rest : [first, ...rest];
  const [item, ...others] = keys.map((key) => pathItem(key, input));
  return item === undefined ? undefined : [item, ...others];
}

function pathItem(key: unknown, input: unknown): v.IssuePathItem {
  return { type: 'unknown', origin: 'value', input, key, value: undefined };
}

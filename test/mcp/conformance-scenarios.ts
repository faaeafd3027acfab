/** Which server scenarios of `@modelcontextprotocol/conformance` are run against `rtms mcp`, and why the others are not. */

/** One for each protocol family that the server speaks. */
export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;

export const APPLICABLE: readonly string[] = [
  'server-initialize',
  'server-session-lifecycle',
  'server-stateless',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'tools-call-with-progress',
  'server-sse-multiple-streams',
  'resources-list',
  'resources-read-text',
  'resources-templates-read',
  'resources-subscribe',
  'resources-unsubscribe',
  'sep-2164-resource-not-found',
  'dns-rebinding-protection',
  'caching',
  'http-header-validation',
  'input-required-result-unsupported-methods',
];

/** What the scenarios ask for by a name of their own, and what of this server is asked for instead. */
export const RENAMED: readonly {
  readonly from: string;
  readonly to: string;
  /** The same in the header `Mcp-Name`. */
  readonly name?: readonly [string, string];
}[] = [
  {
    from: '"name":"test_simple_text"',
    to: '"name":"list_meetings"',
    name: ['test_simple_text', 'list_meetings'],
  },
  {
    from: '"name":"test_error_handling"',
    to: '"name":"read_transcript"',
    name: ['test_error_handling', 'read_transcript'],
  },
  {
    from: '"name":"test_tool_with_progress","arguments":{}',
    to: '"name":"explain_meeting","arguments":{"meeting":"slow"}',
    name: ['test_tool_with_progress', 'explain_meeting'],
  },
  ...(
    [
      ['test://static-text', 'alpha'],
      ['test://watched-resource', 'alpha'],
      ['test://template/123/data', '123'],
    ] as const
  ).map(([from, id]) => {
    const to = `rtms://meetings/${id}/transcript`;
    return { from, to, name: [from, to] as const };
  }),
];

/** Scenarios by the reason why they say nothing about this server. */
export const NOT_APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  'The server offers no prompts, and so nothing to complete.': [
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
    'completion-complete',
  ],
  'Tools and resources answer with text; pictures and sound are files of an export.': [
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'resources-read-binary',
  ],
  'The server asks nothing of the client: no sampling, no elicitation, no roots, no further input.':
    [
      'tools-call-sampling',
      'tools-call-elicitation',
      'elicitation-sep1034-defaults',
      'elicitation-sep1330-enums',
      'input-required-result-basic-elicitation',
      'input-required-result-basic-sampling',
      'input-required-result-basic-list-roots',
      'input-required-result-request-state',
      'input-required-result-multiple-input-requests',
      'input-required-result-multi-round',
      'input-required-result-missing-input-response',
      'input-required-result-non-tool-request',
      'input-required-result-result-type',
      'input-required-result-tampered-state',
      'input-required-result-capability-check',
      'input-required-result-ignore-extra-params',
      'input-required-result-validate-input',
    ],
  'The server sends no log messages to clients: its log is stderr.': [
    'logging-set-level',
    'tools-call-with-logging',
  ],
  'The scenario needs a tool whose schema has every keyword of JSON Schema; the schemas here have plain types and bounds.':
    ['json-schema-2020-12'],
  'The scenario needs a tool that closes its own stream; no answer of this server is resumed, because a mark goes on instead.':
    ['server-sse-polling'],
  'No tool has an argument that is sent as a header of its own.': [
    'http-custom-header-server-validation',
  ],
  'The server has none of the extensions (skills, tasks).': [
    'sep-2640-skills-directory',
    'sep-2640-skills-enumeration',
    'sep-2640-skills-manifest',
    'tasks-lifecycle',
    'tasks-capability-negotiation',
    'tasks-wire-fields',
    'tasks-request-state-removal',
    'tasks-mrtr-input',
    'tasks-request-headers',
    'tasks-dispatch-and-envelope',
    'tasks-status-notifications',
    'tasks-required-task-error',
    'tasks-mrtr-composition',
  ],
};

/** Single checks that fail in a scenario that is run, with the reason. */
export const LACKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'server-stateless': {
    'sep-2575-server-rejects-undeclared-capability': 'No tool asks anything of the client.',
    'sep-2575-missing-capability-http-400': 'No tool asks anything of the client.',
    'sep-2575-http-server-no-independent-requests-on-stream':
      'No tool asks anything of the client.',
    'sep-2575-server-no-log-without-loglevel': 'No tool sends log messages.',
  },
  caching: { 'sep-2549-prompts-list-caching-hints': 'There are no prompts to list.' },
};

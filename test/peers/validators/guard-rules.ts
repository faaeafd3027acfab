/** A rule of Control Tower that some stages break on purpose. `regulated` breaks none. */
export interface AcceptedGuardRule {
  readonly rule: string;
  readonly reason: string;
}

const BY_AWS_KEY =
  'encrypted with a key of AWS; with `encryption: customer-managed` it is a key of your own';
const WITHOUT_DOMAIN =
  'a distribution without a domain of its own has the certificate of CloudFront, which fixes TLS version and SNI';

/** What cfn-guard 3.1 finds in the configurations of the tests, all stages included. */
export const ACCEPTED_GUARD_RULES: readonly AcceptedGuardRule[] = [
  {
    rule: 'api_gw_v2_authorization_type_configured_check',
    reason:
      'Zoom signs the body, which no authorizer sees; the function verifies the signature first',
  },
  {
    rule: 'lambda_function_public_access_prohibited_check',
    reason:
      'the permission names the API of this stack (`SourceArn`), whose ARN is known at deployment, and the rule reads a text or wants `SourceAccount`; in `regulated` there is no permission, the API assumes a role (`RoleIntegration`)',
  },
  {
    rule: 'cloudwatch_log_group_retention_period_check',
    reason: 'the rule wants a year; `logRetentionDays` of the stage says less',
  },
  { rule: 'cloudwatch_log_group_encrypted_check', reason: BY_AWS_KEY },
  { rule: 'dynamodb_table_encrypted_kms_check', reason: BY_AWS_KEY },
  {
    rule: 'ecs_container_insights_enabled_check',
    reason: 'the configuration switches them off; dashboard and alarms use our own metrics',
  },
  {
    rule: 'ecs_service_assign_public_ip_disabled_check',
    reason:
      'a public address is how tasks reach Zoom without NAT; nothing may connect to them, and `network: private` takes the address away',
  },
  {
    rule: 'lambda_inside_vpc_check',
    reason: '`regulated` has the functions in a VPC; elsewhere a VPC would only add NAT',
  },
  {
    rule: 'cloudfront_default_root_object_configured_check',
    reason: 'the distribution answers one path, and no browser asks for it',
  },
  {
    rule: 'cloudfront_origin_failover_enabled_check',
    reason:
      'there is one API; Zoom repeats what was not answered, and a second origin would need a second deployment',
  },
  {
    rule: 'cloudfront_access_logs_enabled_check',
    reason:
      'the access log of the API has every request that passes; WAF counts those that it refuses',
  },
  { rule: 'cloudfront_custom_ssl_certificate_check', reason: WITHOUT_DOMAIN },
  { rule: 'cloudfront_sni_enabled_check', reason: WITHOUT_DOMAIN },
  { rule: 'cloudfront_security_policy_check', reason: WITHOUT_DOMAIN },
  { rule: 's3_bucket_default_encryption_kms_check', reason: BY_AWS_KEY },
  {
    rule: 's3_bucket_logging_enabled_check',
    reason:
      'the bucket that takes the access logs has none itself: a log of it would be written into it, and be logged again',
  },
  {
    rule: 's3_bucket_object_lock_enabled_check',
    reason:
      '`records.archive.objectLock` switches it on; without it a revocation can delete everything at once',
  },
  {
    rule: 's3_event_notifications_enabled_check',
    reason:
      'EventBridge has `RTMS Recording Ready` for each session; a notice for each object of a minute would say less',
  },
];

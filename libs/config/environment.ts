import { plainToInstance, Type } from 'class-transformer';
import {
  ArrayNotEmpty, getMetadataStorage, IsArray, IsBoolean, IsIn, IsInt, IsNotEmpty, IsObject, IsOptional, IsString, Max, Min, MinLength,
  ValidateIf, validateSync,
} from 'class-validator';
import { LANES, type Lane } from '#libs/nodes/node.js';
import { days, flag, hosts, json, list, redisUrl, servers, url } from './decorators.js';
import { InvalidEnvironment } from './invalid-environment.js';

/**
 * Every variable that Platen reads, with its default. Read once at start by `loadEnvironment`; nothing
 * else reads `process.env`. `.env.example` lists the same (a test compares them).
 */
export class Environment {
  /** `production` refuses generated secrets. */
  @IsIn(['development', 'test', 'production'])
  NODE_ENV: string = 'development';

  /** Where the API listens. */
  @IsString() @IsNotEmpty()
  HOST: string = '127.0.0.1';

  @Type(() => Number) @IsInt() @Min(0) @Max(65535)
  PORT: number = 3000;

  /** Where clients reach the API: makes the URLs of files absolute. Unset: they are paths, `/files/…`. */
  @IsOptional() @url(['http', 'https'])
  PUBLIC_URL?: string;

  /** Unset: an embedded Postgres, with its data in PLATEN_HOME. */
  @IsOptional() @url(['postgres', 'postgresql'])
  DATABASE_URL?: string;

  /** Connections to Postgres per process. */
  @Type(() => Number) @IsInt() @Min(4) @Max(500)
  DATABASE_POOL: number = 20;

  /** A server, sentinels or a cluster. Unset: a Redis found on PATH, else Postgres carries queue, events, rate limits. */
  @IsOptional() @redisUrl
  REDIS_URL?: string;

  /** Data of the embedded servers, generated secrets, local files. */
  @IsString() @IsNotEmpty()
  PLATEN_HOME: string = '.platen';

  /** HS256 secret, 32 characters or more. Unset: made and kept in PLATEN_HOME (refused in production). */
  @IsOptional() @IsString() @MinLength(32)
  JWT_SECRET?: string;

  /** JWKS address: tokens are then RS256 or ES256, and JWT_SECRET is not used. */
  @IsOptional() @url(['http', 'https'])
  JWT_JWKS_URL?: string;

  /** Issuer that tokens by JWKS must name, where a provider serves several. Unset: any. */
  @IsOptional() @IsString() @IsNotEmpty()
  JWT_ISSUER?: string;

  /** Audience that tokens by JWKS must name: set it when the provider signs for other applications, too. */
  @IsOptional() @IsString() @IsNotEmpty()
  JWT_AUDIENCE?: string;

  /** Signs file URLs, seals secrets and wraps data keys; 32 characters or more. Unset: as JWT_SECRET. */
  @IsOptional() @IsString() @MinLength(32)
  PLATEN_MASTER_KEY?: string;

  /**
   * Former master keys, comma-separated: what was sealed under them still opens. None is needed any more once
   * `platen rotate-keys` has run.
   */
  @list @IsArray() @MinLength(32, { each: true })
  PLATEN_OLD_MASTER_KEYS: string[] = [];

  /**
   * What wraps the keys of encrypted collections: `local`, PLATEN_MASTER_KEY; `vault`, the transit engine of HashiCorp
   * Vault or OpenBao; or `none`: there are no such collections.
   */
  @IsIn(['local', 'vault', 'none'])
  KEY_MANAGEMENT: string = 'local';

  @ValidateIf((all: Environment) => all.KEY_MANAGEMENT === 'vault') @url(['http', 'https'])
  VAULT_ADDR?: string;
  @ValidateIf((all: Environment) => all.KEY_MANAGEMENT === 'vault') @IsString() @IsNotEmpty()
  VAULT_TOKEN?: string;
  /** Name of its key, of type aes256-gcm96. */
  @IsString() @IsNotEmpty()
  VAULT_TRANSIT_KEY: string = 'platen';

  /**
   * Where files are kept: `local`, a folder; `s3`, a bucket of Amazon S3 or of what speaks its protocol; `azure`, a
   * container of Azure Blob Storage; `gcs`, a bucket of Google Cloud Storage.
   */
  @IsIn(['local', 's3', 'azure', 'gcs'])
  STORAGE_DRIVER: string = 'local';

  /** Folder of the local driver. Default: `storage` in PLATEN_HOME. */
  @IsOptional() @IsString() @IsNotEmpty()
  STORAGE_PATH?: string;

  /** Bucket or container of the clouds' drivers. It must exist, and be this installation's own. */
  @ValidateIf((all: Environment) => all.STORAGE_DRIVER !== 'local') @IsString() @IsNotEmpty()
  STORAGE_BUCKET?: string;

  /** Sends clients of files on to signed URLs of the bucket, where they can reach it, instead of streaming. */
  @flag @IsBoolean()
  STORAGE_REDIRECT: boolean = false;

  /** An S3 server that is not Amazon's. */
  @IsOptional() @url(['http', 'https'])
  AWS_ENDPOINT_URL_S3?: string;

  /** Default: us-east-1 with AWS_ENDPOINT_URL_S3, else that of the AWS profile. */
  @IsOptional() @IsString() @IsNotEmpty()
  AWS_REGION?: string;

  /** Unset: credentials of the AWS profile, or of the machine's role. */
  @IsOptional() @IsString() @IsNotEmpty()
  AWS_ACCESS_KEY_ID?: string;
  @ValidateIf((all: Environment) => all.AWS_ACCESS_KEY_ID !== undefined) @IsString() @IsNotEmpty()
  AWS_SECRET_ACCESS_KEY?: string;
  @IsOptional() @IsString() @IsNotEmpty()
  AWS_SESSION_TOKEN?: string;

  /** Where the storage account of the `azure` driver is and how one gets in, as Azure's portal shows it. */
  @ValidateIf((all: Environment) => all.STORAGE_DRIVER === 'azure' && !all.AZURE_STORAGE_ACCOUNT)
  @IsString() @IsNotEmpty()
  AZURE_STORAGE_CONNECTION_STRING?: string;

  /** Instead: the account's name, at Azure itself, */
  @IsOptional() @IsString() @IsNotEmpty()
  AZURE_STORAGE_ACCOUNT?: string;

  /** and one of its keys. */
  @ValidateIf((all: Environment) => all.AZURE_STORAGE_ACCOUNT !== undefined) @IsString() @IsNotEmpty()
  AZURE_STORAGE_KEY?: string;

  /** File with credentials for the `gcs` driver. Unset: those of the machine, as for all of Google's programs. */
  @IsOptional() @IsString() @IsNotEmpty()
  GOOGLE_APPLICATION_CREDENTIALS?: string;

  /** A server that plays Google Cloud Storage, without tokens: `http://fake-gcs:4443`. */
  @IsOptional() @IsString() @IsNotEmpty()
  STORAGE_EMULATOR_HOST?: string;

  /** Bytes of one asset at most. */
  @Type(() => Number) @IsInt() @Min(1)
  MAX_ASSET_BYTES: number = 2 * 1024 ** 3;

  /** Base address of public files when a CDN serves them. */
  @IsOptional() @url(['http', 'https'])
  CDN_BASE_URL?: string;

  /** JSON `{ plan: { monthlyGenerations, maxInFlight, … } }`, merged over the defaults of `credits/plans.ts`. */
  @json @IsOptional() @IsObject()
  PLANS?: Record<string, unknown>;

  /** JSON `{ node: credits }`: what a step of a built-in node costs (default 0). */
  @json @IsOptional() @IsObject()
  NODE_PRICES?: Record<string, number>;

  /** JSON `{ model: credits }` (default 1). */
  @json @IsOptional() @IsObject()
  MODEL_PRICES?: Record<string, number>;

  /** Another platform's job queue that takes the jobs of `direct_job` workflows. Unset: queues of BullMQ, `direct.<service>`. */
  @IsOptional() @url(['http', 'https'])
  EMPROPS_QUEUE_URL?: string;

  /**
   * An endpoint that speaks OpenAI's protocol, for `prompt` steps with a `model`: `http://localhost:11434/v1`.
   * Default, with a key: OpenAI itself.
   */
  @IsOptional() @url(['http', 'https'])
  OPENAI_BASE_URL?: string;

  /** Unset, with OPENAI_BASE_URL: the endpoint wants none. */
  @IsOptional() @IsString() @IsNotEmpty()
  OPENAI_API_KEY?: string;

  /** Where models of Replicate run on. Unset: steps that ask for one fail. */
  @IsOptional() @IsString() @IsNotEmpty()
  REPLICATE_API_TOKEN?: string;

  /** Another server that speaks Replicate's protocol. Without a path, `/v1` is added. */
  @url(['http', 'https'])
  REPLICATE_BASE_URL: string = 'https://api.replicate.com/v1';

  /**
   * Replicate's `whsec_…`, which its webhooks are judged by. With it and PUBLIC_URL predictions are reported to
   * `/api/v1/webhooks/replicate`; else they are asked after.
   */
  @IsOptional() @IsString() @IsNotEmpty()
  REPLICATE_WEBHOOK_SECRET?: string;

  /** For development only: takes Replicate's webhooks without a secret to judge them by. */
  @flag @IsBoolean()
  ALLOW_UNSIGNED_WEBHOOKS: boolean = false;

  /** Seconds that the 202 of the v1 face waits for its prediction. */
  @Type(() => Number) @IsInt() @Min(0) @Max(30)
  V1_WAIT_SECONDS: number = 5;

  /** Seconds that the answer of `POST /assets/:id/rerender` waits for its verdict when the client says nothing. */
  @Type(() => Number) @IsInt() @Min(0) @Max(60)
  RERENDER_WAIT_SECONDS: number = 20;

  /** Words and phrases that no prompt of the v1 and two-step faces may hold, comma-separated. Default: none. */
  @list @IsArray()
  MODERATED_TERMS: string[] = [];

  /**
   * ComfyUI servers, comma-separated: `http://gpu1:8188`. Credentials are sent as a header: `bearer:TOKEN@`,
   * `x-api-key:KEY@`, or `user:password@` for Basic. Default: none, and ComfyUI workflows fail.
   */
  @list @IsArray() @servers
  COMFYUI_URLS: string[] = [];

  /** Origins that browsers may call from, comma-separated; `*` for any. Default: none. */
  @list @IsArray()
  CORS_ORIGINS: string[] = [];

  /**
   * Hosts that users' URLs may lead to though they are not public, comma-separated, by the name in the URL:
   * `minio`, `10.0.0.5:9000`. Default: none.
   */
  @list @IsArray() @hosts
  ALLOWED_HOSTS: string[] = [];

  /** From a generation's first lease to its end, waiting included. */
  @Type(() => Number) @IsInt() @Min(1_000)
  GENERATION_TIMEOUT_MS: number = 30 * 60_000;

  /** Faces and node types that are switched off, comma-separated. */
  @list @IsArray()
  FEATURES_OFF: string[] = [];

  /** Generations that one worker runs at once, per lane. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000)
  WORKER_CONCURRENCY: number = 4;

  /** Lanes this worker serves, comma-separated. */
  @list @IsArray() @ArrayNotEmpty() @IsIn(LANES, { each: true })
  WORKER_LANES: Lane[] = [...LANES];

  /** How long running steps may go on after SIGTERM. */
  @Type(() => Number) @IsInt() @Min(0)
  SHUTDOWN_GRACE_MS: number = 20_000;

  /** Days for which jobs are kept of which nothing is left, webhooks that were sent, and what operators did. Unset: for ever. */
  @days
  KEEP_JOBS_DAYS?: number;
  @days
  KEEP_DELIVERIES_DAYS?: number;
  @days
  KEEP_ACTIONS_DAYS?: number;

  /** Where a worker tells whether it works, and its metrics. Unset: nowhere. Port 0: any free one. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(65535)
  WORKER_PORT?: number;

  /** Opens `/metrics`, as a Bearer. Unset: only admins may read them. */
  @IsOptional() @IsString() @IsNotEmpty()
  METRICS_TOKEN?: string;

  /** Moves the API's `/metrics` to a port of its own. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(65535)
  METRICS_PORT?: number;

  /** Where traces are sent to: a collector that speaks OTLP over HTTP, `http://collector:4318`. Unset: there are none. */
  @IsOptional() @url(['http', 'https'])
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  /** What traces call this installation. OpenTelemetry's other variables are read by its library. */
  @IsString() @IsNotEmpty()
  OTEL_SERVICE_NAME: string = 'platen';

  /** A Chrome or Chromium to use instead of the one from npm. */
  @IsOptional() @IsString() @IsNotEmpty()
  CHROMIUM_PATH?: string;

  /** Runs sketches where Chromium's own sandbox cannot be had. */
  @flag @IsBoolean()
  ALLOW_UNSANDBOXED_CHROMIUM: boolean = false;

  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
  LOG_LEVEL: string = 'info';
}

/** Each is checked, and so known by its checks. */
const CHECKS = getMetadataStorage().getTargetValidationMetadatas(Environment, '', false, false);

/** Checks and types the variables. Throws one error that lists every fault. */
export function loadEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const known = [...new Set(CHECKS.map(({ propertyName }) => propertyName))];
  const given = known.filter((name) => variables[name] !== undefined && variables[name] !== '');
  const values = Object.fromEntries(given.map((name) => [name, variables[name]]));
  const environment = plainToInstance(Environment, values, { exposeDefaultValues: true });
  const faults = validateSync(environment, { forbidUnknownValues: true });
  if (faults.length > 0) throw new InvalidEnvironment(faults);
  return environment;
}

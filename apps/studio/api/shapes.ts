/** What the studio reads of the API's answers, by the names on the wire. */

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface Fault {
  field: string;
  message: string;
}

export interface Problem {
  code: string;
  message: string;
}

export interface Asset {
  id: string;
  url: string;
  thumbnail_url: string | null;
  name: string;
  mime_type: string;
  size: number;
  sha256: string;
  width: number | null;
  height: number | null;
}

export interface Trait {
  trait_type: string;
  value: string | number | boolean;
}

export interface Step {
  step_id: string;
  alias: string | null;
  node: string;
  status: string;
  attempt: number;
  /** Percent. */
  progress: number;
  started_at: string;
  completed_at: string | null;
  logs: string[];
  error: Problem | null;
}

/** One edition. */
export interface Generation {
  id: string;
  index: number;
  hash: string;
  status: string;
  /** Percent. */
  progress: number;
  error: (Problem & { step_id: string | null }) | null;
  traits: Trait[];
  steps: Step[];
  assets: Asset[];
  started_at: string | null;
  completed_at: string | null;
}

export interface JobSummary {
  id: string;
  name: string;
  job_type: string;
  status: string;
  progress: number;
  collection_id: string | null;
  workflow_id: string | null;
  queue_position: number | null;
  estimated_completion: string | null;
  cost: { total: number; held: number; captured: number; released: number };
  counts: { total: number; completed: number; failed: number; cancelled: number };
  error: Problem | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
}

export interface Job extends JobSummary {
  generations: Generation[];
}

/** A recorded event of a job; `node_progress` has no `seq`. What does not apply is absent. */
export interface JobEvent {
  seq?: number;
  type: string;
  job_id: string;
  at: string;
  status?: string;
  generation_id?: string;
  generation_index?: number;
  hash?: string;
  step_id?: string;
  node?: string;
  alias?: string;
  attempt?: number;
  progress?: number;
  message?: string;
  retry_at?: string;
  asset?: Asset;
  error?: Problem;
}

export interface FormField {
  id: string;
  type?: string;
  group?: string | string[];
  placeholder?: string;
  options?: Array<{ value: string | number | boolean; label?: string; name?: string }>;
}

export interface PropertySchema {
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: Array<string | number | boolean>;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  'x-step'?: { from: number; by: number };
  pattern?: string;
  not?: object;
}

export interface Workflow {
  id: string;
  name: string;
  label: string | null;
  description: string | null;
  type: string;
  output_mime_type: string | null;
  tags: string[];
  data: {
    form?: {
      config?: { maxNumberOfGenerations?: number; groupOrder?: string[] };
      fields?: FormField[];
      main?: FormField[];
      advanced?: FormField[];
    } | null;
  };
  form_schema: { properties?: Record<string, PropertySchema>; required?: string[] };
  /** Credits. */
  price: { base: number; per_generation: { min: number; max: number } };
  /** Seconds of one generation. */
  estimated_duration: number;
}

export interface CostBreakdown {
  total_credits: number;
  per_generation: number;
  workflow_base_cost: number;
}

export interface Estimate {
  cost_breakdown: CostBreakdown;
  /** Seconds. */
  estimated_duration: number;
}

export interface Submission {
  collection_id: string;
  job_id: string;
  cost_breakdown: CostBreakdown;
}

export interface Collection {
  id: string;
  title: string | null;
  description: string | null;
  status: 'draft' | 'published';
  project_id: string;
  images: string[];
  preview_images: string[];
  cover_image_url: string | null;
  editions: number | null;
  publish_date: string | null;
  created_at: string;
  data?: { steps: SetStep[] } | null;
}

export interface SetStep {
  id: number | string;
  alias?: string | null;
  nodeName: string;
  nodePayload: unknown;
}

export interface PublicCollection extends Collection {
  assets: Asset[];
  traits: Array<Trait & { count: number }>;
  generations: number;
}

/** A finished edition with its rarity among the finished ones. */
export interface Token {
  token_id: string;
  generation_id: string;
  rarity: { rank: number; score: number; of: number };
  traits: Array<Trait & { count: number; share: number }>;
}

export interface Preview {
  hash: string;
  /** A `data:` URL. */
  image: string;
  width: number;
  height: number;
  traits: Trait[];
  logs: string[];
}

export interface Credits {
  balance: number;
  held: number;
  available: number;
  plan: string;
}

export interface LedgerEntry {
  id: string;
  type: string;
  amount: number;
  balance_after: number;
  job_id: string | null;
  description: string | null;
  created_at: string;
}

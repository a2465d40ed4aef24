import { fail, type Check, type Finding, type Patient } from './check.js';
import { withoutSecrets } from './told-secrets.js';

const TIMEOUT_MS = 10_000;

/** What a check found. */
export interface Diagnosis {
  check: string;
  findings: Finding[];
}

/** Makes one check, in its time: whatever goes wrong is a finding, and no finding tells a secret. */
export async function examine(check: Check, patient: Patient): Promise<Diagnosis> {
  const { name, timeoutMs = TIMEOUT_MS } = check;
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(
      () => resolve([fail(`no answer within ${timeoutMs / 1_000} s`, 'See whether it is overloaded, or behind a firewall.')]),
      timeoutMs,
    );
  });
  const findings = check
    .examine(patient, stop.signal)
    .catch((error: Error) => [fail(error.message, 'See docs/guides/doctor.md.')]);
  try {
    const found = await Promise.race([findings, late]);
    const tell = withoutSecrets(patient);
    return { check: name, findings: found.map((finding) => ({ ...finding, text: tell(finding.text) })) };
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

export const isSound = (diagnoses: Diagnosis[]): boolean =>
  diagnoses.every(({ findings }) => findings.every(({ verdict }) => verdict !== 'fail'));

/** A bar of what is done, in percent. */
export function Progress({ percent, label }: { percent: number; label: string }) {
  return <progress class="progress" value={percent} max={100} aria-label={label} />;
}

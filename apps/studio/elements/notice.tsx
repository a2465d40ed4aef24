import type { ComponentChildren } from 'preact';

/** Something that went wrong, said at once to those who listen. */
export function Notice({ children }: { children: ComponentChildren }) {
  return <p class="notice" role="alert">{children}</p>;
}

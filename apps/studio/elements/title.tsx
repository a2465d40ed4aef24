import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

/** The heading of a page, and the name of its tab. */
export function Title({ children, tab }: { children: ComponentChildren; tab?: string }) {
  const name = tab ?? (typeof children === 'string' ? children : '');
  useEffect(() => {
    document.title = name ? `${name} · Platen Studio` : 'Platen Studio';
  }, [name]);
  return <h1>{children}</h1>;
}

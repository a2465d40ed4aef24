import { useEffect, useRef } from 'preact/hooks';
import { token } from '../api/session.js';
import { Header } from './header.js';
import { path } from './router.js';
import { routeOf } from './routes.js';
import { SignIn } from './sign-in.js';

/** The page around all pages. */
export function App() {
  const { Screen, parameter, isOpen } = routeOf(path.value);
  const place = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  // A new page is read from its beginning; the first one keeps the focus where the browser put it.
  useEffect(() => {
    if (!isFirst.current) place.current?.focus();
    isFirst.current = false;
  }, [path.value]);

  // Whoever comes or goes begins anew: what was shown to another is nobody's.
  return (
    <>
      <a class="skip" href="#content">Skip to content</a>
      <Header />
      <main id="content" ref={place} tabIndex={-1}>
        {token.value === null && !isOpen ? <SignIn /> : <Screen key={`${path.value} ${token.value}`} id={parameter} />}
      </main>
    </>
  );
}

/* Says of an uncaught error where in the sketch it came from, though it may surface inside p5. */
platen.reportErrors = (report) => {
  Error.stackTraceLimit = 50;
  const { cut } = platen.safely;
  const STACK_LENGTH = 20_000;
  const FRAME = /(https?:\/\/[^\s()]+?):(\d+):(\d+)\)?$/;
  const LIBRARY = /\/(\.platen\/.*|p5(\.\w+)*\.js)$/;

  function place(address, line, column) {
    const { origin, pathname } = new URL(address);
    if (origin !== location.origin || LIBRARY.test(pathname)) return undefined;
    return `${decodeURIComponent(pathname.slice(1)) || 'index.html'}:${line}:${column}`;
  }

  function placeInStack(error) {
    const frames = typeof error?.stack === 'string' ? cut(error.stack, STACK_LENGTH).split('\n') : [];
    for (const frame of frames) {
      const found = FRAME.exec(frame.trim());
      const where = found && place(found[1], found[2], found[3]);
      if (where) return where;
    }
    return undefined;
  }

  const told = (message, where) => report(where ? `${message} (${where})` : message);
  const named = (error) => (error instanceof Error ? `${cut(error.name)}: ${cut(error.message)}` : cut(error));

  // What is prevented is not sent to the worker a second time, at its full length.
  window.addEventListener('error', (event) => {
    if (event.target !== window) return;
    event.preventDefault();
    const where = placeInStack(event.error) ?? (event.filename && place(event.filename, event.lineno, event.colno));
    told(event.error === undefined ? cut(event.message) : named(event.error), where);
  });
  window.addEventListener('securitypolicyviolation', (event) => platen.log.add(`Blocked: ${event.blockedURI}`));
  window.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    told(named(event.reason), placeInStack(event.reason));
  });
};

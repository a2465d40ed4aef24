/* Says of an uncaught error where in the sketch it came from, though it may surface inside p5. */
platen.reportErrors = (report) => {
  Error.stackTraceLimit = 50;
  const FRAME = /(https?:\/\/[^\s()]+?):(\d+):(\d+)\)?$/;
  const LIBRARY = /\/(\.platen\/.*|p5(\.\w+)*\.js)$/;

  function place(address, line, column) {
    const { origin, pathname } = new URL(address);
    if (origin !== location.origin || LIBRARY.test(pathname)) return undefined;
    return `${decodeURIComponent(pathname.slice(1)) || 'index.html'}:${line}:${column}`;
  }

  function placeInStack(error) {
    const frames = typeof error?.stack === 'string' ? error.stack.split('\n') : [];
    for (const frame of frames) {
      const found = FRAME.exec(frame.trim());
      const where = found && place(found[1], found[2], found[3]);
      if (where) return where;
    }
    return undefined;
  }

  const told = (message, where) => report(where ? `${message} (${where})` : message);
  const named = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

  window.addEventListener('error', (event) => {
    if (event.target !== window) return;
    const where = placeInStack(event.error) ?? (event.filename && place(event.filename, event.lineno, event.colno));
    told(event.error === undefined ? event.message : named(event.error), where);
  });
  window.addEventListener('securitypolicyviolation', (event) => platen.log.add(`Blocked: ${event.blockedURI}`));
  window.addEventListener('unhandledrejection', (event) => {
    told(named(event.reason), placeInStack(event.reason));
  });
};

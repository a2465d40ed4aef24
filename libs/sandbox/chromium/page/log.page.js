/* Keeps the last lines of the console here: sending each on would let a chatty sketch flood the worker. */
platen.log = (() => {
  const LINES = 100;
  const { cut } = platen.safely;
  const lines = [];

  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.stack ?? String(value);
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  }

  function add(...values) {
    lines.push(cut(values.slice(0, LINES).map((value) => cut(show(value))).join(' ')));
    if (lines.length > LINES) lines.shift();
  }

  // What is not kept is not sent on either.
  for (const name of Object.keys(console)) if (typeof console[name] === 'function') console[name] = () => {};
  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace', 'table', 'group']) console[name] = add;
  console.assert = (condition, ...values) => condition || add('Assertion failed:', ...values);
  console.dir = (value) => add(value);

  return { add, lines };
})();

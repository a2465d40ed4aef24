/*
 * The sketch's time: 1000/60 ms a frame from a fixed epoch, as fast as the machine can draw. Frames and
 * timers run one a task, so that promises settle between them as they do in a browser. While something
 * loads, time stands still: how long that takes must not show in the picture.
 */
platen.clock = (() => {
  const FRAME_MS = 1000 / 60;
  const EPOCH = Date.UTC(2024, 0, 1);
  const RealDate = Date;
  const real = { setTimeout: window.setTimeout.bind(window) };

  let now = 0;
  let frame = 0;
  let lastId = 0;
  let pending = 0;
  let running = false;
  let stopped = false;
  const timers = new Map();
  let callbacks = new Map();
  const afterFrame = [];

  const channel = new MessageChannel();
  channel.port1.onmessage = step;
  const next = () => channel.port2.postMessage(0);

  /** Runs the next timer that is due before the coming frame, else that frame. */
  function step() {
    running = false;
    if (stopped || pending > 0) return;
    const frameAt = (frame + 1) * FRAME_MS;
    const timer = earliestTimer();
    resume();
    if (timer && timer.at <= frameAt) runTimer(timer);
    else runFrame(frameAt);
  }

  function earliestTimer() {
    let first;
    for (const timer of timers.values()) if (!first || timer.at < first.at) first = timer;
    return first;
  }

  function runTimer(timer) {
    now = Math.max(now, timer.at);
    if (timer.every === undefined) timers.delete(timer.id);
    else timer.at += timer.every;
    call(timer.callback, timer.values);
  }

  function runFrame(at) {
    now = at;
    frame += 1;
    const due = callbacks;
    callbacks = new Map();
    for (const callback of due.values()) call(callback, [now]);
    for (const listener of afterFrame) listener();
  }

  function call(callback, values) {
    try {
      callback(...values);
    } catch (error) {
      reportError(error);
    }
  }

  function resume() {
    if (running || stopped || pending > 0) return;
    running = true;
    next();
  }

  /** Stops time until the function it returns is called (twice does no harm). */
  function hold() {
    let held = true;
    pending += 1;
    return () => {
      if (!held) return;
      held = false;
      // Later, so that the sketch's own listeners and promises come first.
      real.setTimeout(() => {
        pending -= 1;
        resume();
      });
    };
  }

  function addTimer(callback, delay, values, every) {
    const id = ++lastId;
    const run = typeof callback === 'function' ? callback : () => (0, eval)(String(callback));
    timers.set(id, { id, at: now + delay, every, callback: run, values });
    return id;
  }

  const milliseconds = (delay) => Math.max(1, Number(delay) || 0);

  const today = () => EPOCH + now;
  RealDate.now = () => Math.floor(today());
  const VirtualDate = new Proxy(RealDate, {
    apply: () => new RealDate(today()).toString(),
    construct: (target, values, made) => Reflect.construct(target, values.length ? values : [today()], made),
  });
  RealDate.prototype.constructor = VirtualDate;

  Object.assign(window, {
    Date: VirtualDate,
    requestAnimationFrame: (callback) => {
      callbacks.set(++lastId, callback);
      return lastId;
    },
    cancelAnimationFrame: (id) => callbacks.delete(id),
    setTimeout: (callback, delay, ...values) => addTimer(callback, milliseconds(delay), values),
    setInterval: (callback, delay, ...values) =>
      addTimer(callback, milliseconds(delay), values, milliseconds(delay)),
    clearTimeout: (id) => timers.delete(id),
    clearInterval: (id) => timers.delete(id),
    requestIdleCallback: (callback) =>
      addTimer(() => callback({ didTimeout: false, timeRemaining: () => FRAME_MS }), 1, []),
    cancelIdleCallback: (id) => timers.delete(id),
  });
  const getters = { get: () => now, configurable: true };
  Object.defineProperty(Event.prototype, 'timeStamp', getters);
  Object.defineProperty(AnimationTimeline.prototype, 'currentTime', getters);
  Object.defineProperty(performance, 'now', { value: () => now, configurable: true });
  Object.defineProperty(performance, 'timeOrigin', { value: EPOCH, configurable: true });
  if (window.Temporal) delete Temporal.Now;
  const formats = Intl.DateTimeFormat.prototype;
  const { get: formatOf } = Object.getOwnPropertyDescriptor(formats, 'format');
  Object.defineProperty(formats, 'format', {
    get() {
      const format = formatOf.call(this);
      return (date = today()) => format(date);
    },
    configurable: true,
  });

  return {
    hold,
    afterFrame: (listener) => afterFrame.push(listener),
    /** Whether nothing is left that could run. */
    idle: () => callbacks.size === 0 && timers.size === 0 && pending === 0,
    stop: () => {
      stopped = true;
    },
  };
})();

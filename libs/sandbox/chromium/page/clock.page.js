/*
 * The sketch's time: 1000/60 ms a frame, or as long as a picture of its video is shown, from a fixed epoch,
 * as fast as the machine can draw. Frames and timers run one a task, so that promises settle between them as
 * they do in a browser. While something loads, time stands still: how long that takes must not show in the
 * picture.
 */
platen.clock = (() => {
  const EPOCH = Date.UTC(2024, 0, 1);
  const RealDate = Date;
  const real = { setTimeout: window.setTimeout.bind(window) };

  let frameMs = 1000 / 60;
  let now = 0;
  let frame = 0;
  let lastId = 0;
  let pending = 0;
  let running = false;
  let stopped = false;
  const timers = new Map();
  let callbacks = new Map();
  const beforeFrame = [];
  const afterFrame = [];

  const channel = new MessageChannel();
  channel.port1.onmessage = step;
  const next = () => channel.port2.postMessage(0);

  /** Runs the next timer that is due before the coming frame, else that frame. */
  function step() {
    running = false;
    if (stopped || pending > 0) return;
    const frameAt = (frame + 1) * frameMs;
    const timer = earliestTimer();
    const isTimersTurn = timer && timer.at <= frameAt;
    if (!isTimersTurn) for (const listener of beforeFrame) listener();
    if (stopped || pending > 0) return;
    resume();
    if (isTimersTurn) runTimer(timer);
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
  function pause() {
    let paused = true;
    pending += 1;
    return () => {
      if (!paused) return;
      paused = false;
      pending -= 1;
      resume();
    };
  }

  /** The same for what the sketch waits for: its own listeners and promises come first. */
  function hold() {
    const release = pause();
    return () => real.setTimeout(release);
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
      addTimer(() => callback({ didTimeout: false, timeRemaining: () => frameMs }), 1, []),
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
    pause,
    hold,
    /** Before the first frame only. */
    setFrameRate: (fps) => {
      frameMs = 1000 / fps;
    },
    /** When all that came before the next frame is done. A listener may put that frame off by `pause`. */
    beforeFrame: (listener) => beforeFrame.push(listener),
    /** In the task of the frame's callbacks. */
    afterFrame: (listener) => afterFrame.push(listener),
    /** Whether nothing is left that could run. */
    idle: () => callbacks.size === 0 && timers.size === 0 && pending === 0,
    stop: () => {
      stopped = true;
    },
  };
})();

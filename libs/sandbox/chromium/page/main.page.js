/* Ties the parts together. `platen.begin` is called once, by the script that brings the edition. */
(() => {
  const MAX_PIXELS = 40_000_000;
  const QUALITY = 0.95;
  let settle;
  /** Settles once, with the picture or with why there is none. */
  platen.outcome = new Promise((resolve) => {
    settle = resolve;
  });

  let ended = false;
  let edition;
  let p5;
  let features = () => ({});

  /** From here on nothing of the sketch counts. False: it had ended before. */
  function stop(outcome) {
    if (ended) return false;
    ended = true;
    platen.clock.stop();
    platen.report = platen.safely.report(outcome, platen.log.lines);
    return true;
  }

  function end(outcome) {
    if (stop(outcome)) settle(true);
  }

  /** Kept here to be read. A promise of an object would ask the sketch's own `then` for it. */
  function endWith(image) {
    platen.image = image;
    settle(true);
  }
  platen.console = () => platen.safely.report({}, platen.log.lines);
  platen.part = (of, length) => platen.safely.slice(platen[of], 0, length);

  const { widthOf, heightOf, saveAs } = platen.safely;
  const area = (canvas) => widthOf(canvas) * heightOf(canvas);

  /** p5's main canvas, else the largest in the page. */
  function mainCanvas() {
    const candidates = p5.inUse() ? p5.canvases() : [...document.querySelectorAll('canvas')];
    return candidates.reduce((best, canvas) => (best && area(best) >= area(canvas) ? best : canvas), undefined);
  }

  function contextLost(canvas) {
    const context = ['webgl2', 'webgl'].map((kind) => canvas.getContext(kind)).find(Boolean);
    return context?.isContextLost() ?? false;
  }

  /** Why no picture can be taken of a canvas; undefined when one can. */
  function faultOf(canvas) {
    if (!canvas) return { fault: 'no_canvas', message: 'The sketch ended without a canvas' };
    if (area(canvas) === 0 || area(canvas) > MAX_PIXELS) {
      const size = `${widthOf(canvas)} x ${heightOf(canvas)}`;
      return { fault: 'error', message: `A canvas of ${size} cannot be saved` };
    }
    if (contextLost(canvas)) return { fault: 'browser', message: 'The graphics context was lost' };
    return undefined;
  }

  /** Takes the picture now, in the task that drew it: later, a WebGL canvas may be empty. A video goes on. */
  platen.capture = () => {
    if (ended || edition.video) return undefined;
    const canvas = mainCanvas();
    const fault = faultOf(canvas);
    if (fault) return end(fault);
    const outcome = { width: widthOf(canvas), height: heightOf(canvas), features: features() };
    saveAs(canvas, `image/${edition.format}`, QUALITY, endWith);
    return void stop(outcome);
  };

  const drewOnce = () => (p5.inUse() ? p5.drewOnce() : mainCanvas() !== undefined || platen.clock.idle());
  const RULES = {
    capture: () => false,
    noLoop: () => (p5.inUse() ? p5.drewOnce() && p5.stopped() : platen.clock.idle()),
    firstFrame: drewOnce,
  };

  function endByRule() {
    const endIfOver = () => {
      if (RULES[edition.endsAt]()) platen.capture();
    };
    p5.onFrame(endIfOver);
    platen.clock.afterFrame(() => p5.inUse() || endIfOver());
  }

  function endWithVideo() {
    const stage = { drewOnce, keepsPicture: p5.inUse, canvas: mainCanvas, faultOf };
    const onEnd = ({ width, height }) => end({ width, height, features: features() });
    platen.videoRecorder.record(edition.video, stage, { onEnd, onFault: end });
  }

  platen.begin = (given) => {
    edition = given;
    const surroundings = platen.surround(edition);
    p5 = platen.watchP5(edition, surroundings);
    platen.definePseudorandom(edition);
    features = platen.defineFxhash(edition);
    Object.assign(window, { hash: edition.hash, variables: edition.variables, capture: platen.capture });
    if (edition.video) endWithVideo();
    else endByRule();
    platen.reportErrors((message) => end({ fault: 'error', message }));
    // fxhash's own snippet reads its hash from the address.
    const query = { fxhash: edition.hash, fxiteration: 1, fxcontext: 'capture' };
    if (edition.isPreview) query.preview = 1;
    history.replaceState(null, '', `?${new URLSearchParams(query)}`);
    delete window.platen;
  };
})();

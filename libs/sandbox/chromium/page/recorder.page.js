/*
 * Shows a video's encoder one picture a frame of the clock, from the sketch's first picture on, and lets time
 * stand still while the encoder is behind. The encoder lives in a frame whose objects the sketch never gets
 * hold of: a frame in a closed shadow tree is not among the document's.
 */
platen.videoRecorder = (() => {
  let encoder;
  let opened;
  const opening = new Promise((resolve) => {
    opened = resolve;
  });

  /** What the worker takes the video by: the text of one piece, '' after the last. */
  platen.nextPiece = async () => {
    await opening;
    return encoder.next();
  };

  function openEncoder(video, { onLoad, onFault }) {
    const host = document.documentElement.appendChild(document.createElement('platen-encoder'));
    const frame = document.createElement('iframe');
    frame.hidden = true;
    host.attachShadow({ mode: 'closed' }).append(frame);
    const script = frame.contentDocument.createElement('script');
    script.src = `${location.origin}/.platen/encoder.js`;
    script.onload = () => {
      encoder = frame.contentWindow.openEncoder(video);
      opened();
      onLoad();
    };
    script.onerror = () => onFault({ fault: 'browser', message: 'The encoder did not load' });
    frame.contentDocument.head.append(script);
  }

  /** Calls `onEnd` with the picture's size after the last frame, or `onFault` with what went wrong. */
  function record(video, stage, { onEnd, onFault }) {
    const { pause, setFrameRate, beforeFrame, afterFrame } = platen.clock;
    let taken = 0;
    let isDue = true;
    setFrameRate(video.fps);
    openEncoder(video, { onLoad: pause(), onFault });

    function take() {
      isDue = false;
      const canvas = stage.canvas();
      const fault = stage.faultOf(canvas);
      if (fault) return onFault(fault);
      taken += 1;
      const isLast = taken === video.frames;
      const proceed = pause();
      return encoder.add(canvas, isLast).then((message) => {
        if (message) onFault({ fault: 'error', message });
        else if (isLast) onEnd(encoder);
        else proceed();
      });
    }

    // What p5 draws may come after the frame's callbacks, and its canvases keep it. Others may not.
    beforeFrame(() => {
      if (isDue && stage.keepsPicture() && stage.drewOnce()) take();
    });
    afterFrame(() => {
      isDue = true;
      if (!stage.keepsPicture() && stage.drewOnce()) take();
    });
  }

  return { record };
})();

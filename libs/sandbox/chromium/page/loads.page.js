/* Holds the clock while anything loads or decodes, so that a picture never depends on how long that took. */
(() => {
  const { hold } = platen.clock;

  const PROMISES = [
    [window, 'fetch', 'createImageBitmap'],
    [Response.prototype, 'arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'],
    [Blob.prototype, 'arrayBuffer', 'bytes', 'text'],
    [HTMLImageElement.prototype, 'decode'],
    [FontFace.prototype, 'load'],
    [FontFaceSet.prototype, 'load'],
    [OffscreenCanvas.prototype, 'convertToBlob'],
    [BaseAudioContext.prototype, 'decodeAudioData'],
    [SubtleCrypto.prototype, 'digest', 'encrypt', 'decrypt', 'sign', 'verify', 'importKey', 'deriveBits'],
    [WebAssembly, 'compile', 'instantiate', 'compileStreaming', 'instantiateStreaming'],
  ];

  for (const [owner, ...names] of PROMISES) {
    for (const name of names.filter((name) => name in owner)) {
      const original = owner[name];
      owner[name] = function (...values) {
        const release = hold();
        const promise = original.apply(this, values);
        Promise.resolve(promise).then(release, release);
        return promise;
      };
    }
  }

  const once = { once: true };

  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (body) {
    this.addEventListener('loadend', hold(), once);
    send.call(this, body);
  };

  for (const name of ['readAsArrayBuffer', 'readAsBinaryString', 'readAsDataURL', 'readAsText']) {
    const read = FileReader.prototype[name];
    FileReader.prototype[name] = function (...values) {
      this.addEventListener('loadend', hold(), once);
      read.apply(this, values);
    };
  }

  const { toBlob } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.toBlob = function (callback, ...values) {
    const release = hold();
    const done = (blob) => {
      release();
      callback(blob);
    };
    toBlob.call(this, done, ...values);
  };

  // An image whose source changes again before it loaded fires one event only, so it holds once.
  const loading = new WeakSet();
  const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src');
  function holdForImage(image) {
    if (loading.has(image)) return;
    loading.add(image);
    const release = hold();
    const done = () => {
      loading.delete(image);
      release();
    };
    image.addEventListener('load', done, once);
    image.addEventListener('error', done, once);
  }
  Object.defineProperty(HTMLImageElement.prototype, 'src', {
    ...source,
    set(value) {
      holdForImage(this);
      source.set.call(this, value);
    },
  });

  // Frames begin when the document with all it names has loaded.
  window.addEventListener('load', hold(), once);
})();

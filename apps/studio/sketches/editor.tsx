import { useEffect, useRef, useState } from 'preact/hooks';

/** The code. The editor proper is loaded when it is needed; until then, and without it, there is a plain field. */
export function Editor({ code, onChange }: { code: string; onChange: (code: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    let close: (() => void) | undefined;
    let isWanted = true;
    void import('./code-editor.js').then(({ openEditor }) => {
      if (!isWanted || !place.current) return;
      close = openEditor(place.current, code, onChange);
      setOpen(true);
    }, () => undefined);
    return () => {
      isWanted = false;
      close?.();
    };
  }, []);
  return (
    <div class="editor">
      <div ref={place} hidden={!isOpen} />
      {!isOpen && (
        <textarea aria-label="Code of the sketch" spellcheck={false} value={code}
          onInput={({ currentTarget }) => onChange(currentTarget.value)} />
      )}
    </div>
  );
}

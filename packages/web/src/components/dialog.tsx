import { type ReactNode, useEffect, useId, useRef } from 'react';

type DialogProps = { title: string; isOpen: boolean; onClose: () => void; children: ReactNode; isSide?: boolean };

/** Where the focus was last: a button that is off while it works has lost it when its dialog opens. */
let lastFocused: HTMLElement | null = null;
document.addEventListener('focusin', ({ target }) => {
  if (target instanceof HTMLElement && target.closest('dialog') === null) lastFocused = target;
});

/** The browser's own modal dialog: it keeps the focus inside and closes on Escape. */
export function Dialog({ title, isOpen, onClose, children, isSide }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (isOpen && dialog && !dialog.open) dialog.showModal();
    if (!isOpen && dialog?.open) dialog.close();
  }, [isOpen]);
  const place = isSide
    ? 'mr-0 ml-auto h-dvh max-h-dvh w-full max-w-xl border-l'
    : 'w-[calc(100%-2rem)] max-w-2xl rounded-md border';
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onClose={() => {
        onClose();
        if (document.activeElement === document.body && lastFocused?.isConnected) lastFocused.focus();
      }}
      className={`border-line bg-sheet p-0 text-left text-base font-normal text-ink ${place}`}
    >
      {isOpen && (
        <div className="p-5">
          <div className="mb-3 flex items-start justify-between gap-4">
            <h2 id={titleId} className="text-lg font-semibold">
              {title}
            </h2>
            <button
              type="button"
              onClick={onClose}
              className="-mt-1 -mr-1 size-9 shrink-0 rounded text-xl leading-none text-soft hover:bg-well"
              aria-label="Close"
            >
              ×
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}

/**
 * A report as a browser without a screen has it: its own script and library run on its own page, and what they draw on
 * canvases is noted.
 */
import { runInNewContext } from 'node:vm';
import { Window } from 'happy-dom';

export interface Drawn {
  /** Points that lines go through, in the order in which they were drawn; by canvas. */
  readonly points: number;
  /** Words on the canvas. */
  readonly texts: readonly string[];
  /** Filled rectangles: x, y, width, height. */
  readonly rectangles: readonly (readonly number[])[];
}

export interface RenderedPage {
  readonly text: string;
  readonly canvases: readonly Drawn[];
  /** What the page's script says it has drawn. */
  readonly plots: number;
  /** Scripts, styles and pictures that it would have to fetch. */
  readonly fetched: readonly string[];
}

/** Rejects with what its script throws. */
export async function renderPage(html: string): Promise<RenderedPage> {
  const window = new Window({ width: 1200, height: 900, settings: { disableJavaScriptFileLoading: true } });
  const drawn: { points: number; texts: string[]; rectangles: number[][] }[] = [];
  try {
    const { document } = window;
    document.write(html);
    // Nothing is laid out here.
    Object.defineProperty(document.body, 'clientWidth', { value: 1_160 });
    const scripts = [...document.querySelectorAll('script')];
    const paint = {
      HTMLElement: window.HTMLElement,
      HTMLCanvasElement: window.HTMLCanvasElement,
      Path2D: class {
        readonly #note = (): void => void (current().points += 1);
        moveTo = this.#note;
        lineTo = this.#note;
        rect(): void {}
        arc(): void {}
        closePath(): void {}
        addPath(): void {}
        bezierCurveTo = this.#note;
      },
    };
    const current = (): (typeof drawn)[number] => drawn.at(-1) as (typeof drawn)[number];
    window.HTMLCanvasElement.prototype.getContext = function (this: unknown) {
      const own = { points: 0, texts: [] as string[], rectangles: [] as number[][] };
      drawn.push(own);
      const known: Record<string, unknown> = {
        canvas: this,
        fillText: (text: string) => void own.texts.push(text),
        fillRect: (...rectangle: number[]) => void own.rectangles.push(rectangle),
        measureText: (text: string) => ({ width: text.length * 6 }),
        lineTo: () => void (own.points += 1),
      };
      return new Proxy(known, {
        get: (target, name) => (name in target ? target[String(name)] : () => {}),
        set: (target, name, value) => Reflect.set(target, name, value),
      });
    } as never;
    const globals = {
      window,
      document,
      ...paint,
      matchMedia: () => ({ addEventListener: () => {}, removeEventListener: () => {}, matches: false }),
      devicePixelRatio: 1,
      queueMicrotask,
      requestAnimationFrame: (work: () => void) => setTimeout(work, 0),
      cancelAnimationFrame: clearTimeout,
      navigator: { language: 'en' },
      addEventListener: () => {},
      CustomEvent: window.CustomEvent,
      MouseEvent: window.MouseEvent,
    };
    runInNewContext(scripts.map(({ textContent }) => textContent).join('\n'), globals, {
      displayErrors: false,
    });
    await new Promise((resolve) => void setTimeout(resolve, 0));
    const fetched = [...document.querySelectorAll('script[src], link[href], img[src]')];
    return {
      text: document.body.textContent,
      canvases: drawn,
      plots: Number(document.body.dataset['drawn']),
      fetched: fetched.map(({ outerHTML }) => outerHTML),
    };
  } finally {
    await window.happyDOM.close();
  }
}

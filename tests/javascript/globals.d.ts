// What the page's code finds around it and the libraries of TypeScript do not know.

/** With `?test=1` only. */
declare var astradioTest: object;

// The audio thread. Source: Web Audio API, 1.32.3 and 1.32.4.
declare var currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new (options: any) => AudioWorkletProcessor): void;

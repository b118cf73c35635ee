/** While it lives this process looks for input again and again instead of sleeping until there is some. */
export class AwakeLoop implements Disposable {
  #goesOn: boolean;
  readonly #turn = () => {
    if (this.#goesOn) setImmediate(this.#turn);
  };

  constructor(wanted: boolean) {
    this.#goesOn = wanted;
    this.#turn();
  }

  [Symbol.dispose](): void {
    this.#goesOn = false;
  }
}

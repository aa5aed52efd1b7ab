// What several parts of the page show and one part changes.
import { useSyncExternalStore } from "react";

// Changes come by the hundred when a page catches up: they are shown together.
const SHOWN_EVERY_MS = 100;

export class Store {
  #listeners = new Set();
  #version = 0;
  #waiting = false;

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  version = () => this.#version;

  changed() {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      this.#version += 1;
      for (const listener of this.#listeners) listener();
    }, SHOWN_EVERY_MS);
  }
}

// Draws a component again whenever the store has changed.
export const useStore = (store) => useSyncExternalStore(store.subscribe, store.version);

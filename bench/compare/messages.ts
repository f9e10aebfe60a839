import type { Coding, Shape, Signal } from "./payloads.ts";

/** What the program that compares says to its load generator and its sink, and what they answer. */

export type SinkCommand =
  | { readonly kind: "reset"; readonly signal: Signal; readonly itemsPerSecond: number }
  | { readonly kind: "read" };

/** Since the last reset; CPU since the start. */
export interface SinkCounts {
  items: number;
  bytes: number;
  requests: number;
  cpuMs: number;
}

export interface Load {
  readonly protocol: "grpc" | "http";
  readonly port: number;
  readonly shape: Shape;
  readonly coding: Coding;
  readonly connections: number;
  /** Requests in flight on one connection at most; one with HTTP/1.1. */
  readonly window: number;
  /** As many as can be had when absent. */
  readonly itemsPerSecond?: number;
}

export type LoadCommand =
  | { readonly kind: "start"; readonly load: Load }
  | { readonly kind: "read" }
  | { readonly kind: "stop" };

/** Since the start of the load; CPU since the start of the generator. */
export interface LoadCounts {
  /** Items of requests that were answered with success. */
  items: number;
  requests: number;
  refused: number;
  /** Requests that were due and could not be sent, because as many as allowed were in flight. */
  unsent: number;
  cpuMs: number;
  /** Milliseconds from sending to the answer of each request since the last `read`, when the load is paced. */
  latenciesMs: number[];
}

// What the tests need of the simulator, in one bundle: mutations replace methods of the classes that it runs.

export { MUTATIONS, withMutation } from "./mutations.ts";
export { FAILED_SEEDS } from "./seeds.ts";
export { simulate } from "./simulation.ts";

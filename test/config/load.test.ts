// From file and flags to settings: what overrides what, and one clear line for every mistake.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "vitest";
import { parseCommandLine } from "../../src/config/command-line.ts";
import { type FileText, loadSettings } from "../../src/config/load.ts";
import { defaultSettings, type Settings } from "../../src/config/table.ts";

/** Of those files, and no others. */
const readerOf =
  (files: Record<string, string>) =>
  (path: string): FileText => {
    const text = files[path];
    return text === undefined
      ? { ok: false, error: `cannot read ${path}: there is no such file` }
      : { ok: true, text };
  };

function load(text: string, commandLine = "", files: Record<string, string> = {}) {
  const argv = commandLine === "" ? [] : commandLine.split(" ");
  const parsed = parseCommandLine(argv);
  assert.ok(parsed.kind === "run", JSON.stringify(parsed));
  return loadSettings({
    file: { path: "f.conf", text },
    flags: parsed.flags,
    readFile: readerOf(files),
  });
}

function settingsOf(text: string, commandLine = "", files: Record<string, string> = {}): Settings {
  const loaded = load(text, commandLine, files);
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
  return loaded.settings;
}

function errorOf(text: string, commandLine = "", files: Record<string, string> = {}): string {
  const loaded = load(text, commandLine, files);
  assert.ok(!loaded.ok, "expected an error");
  assert.doesNotMatch(loaded.error, /\n/, "one line");
  return loaded.error;
}

test("a cluster-secret that is short is warned of, without showing it", () => {
  const warnings = (secret: string) => {
    const loaded = load(`cluster-secret ${secret}`);
    return loaded.ok ? loaded.warnings : [loaded.error];
  };
  assert.deepEqual(warnings("sixteen-of-these"), []);
  assert.deepEqual(warnings("hunter2"), [
    "cluster-secret has only 7 characters and can be guessed: give all members one of 16 random characters or more",
  ]);
});

describe("secrets", () => {
  const loadSecrets = (
    text: string,
    { flags = "", environment = {} }: { flags?: string; environment?: Record<string, string> } = {},
  ) => {
    const parsed = parseCommandLine(flags === "" ? [] : flags.split(" "));
    assert.ok(parsed.kind === "run");
    const files: Record<string, string> = { "/run/pass": "from a file\n", "/run/empty": "\n" };
    return loadSettings({
      file: { path: "f.conf", text },
      flags: parsed.flags,
      environment,
      readFile: readerOf(files),
    });
  };
  const passwords: [string, Parameters<typeof loadSecrets>, string, string[]][] = [
    ["a file", ["requirepass-file /run/pass"], "from a file", ["requirepass"]],
    ["the environment", ["", { environment: { SESHAT_REQUIREPASS: "e" } }], "e", ["requirepass"]],
    ["an empty variable is none", ["requirepass a", { environment: { SESHAT_REQUIREPASS: "" } }], "a", []],
    [
      "a file that the environment names",
      ["requirepass a", { environment: { SESHAT_REQUIREPASS_FILE: "/run/pass" } }],
      "from a file",
      ["requirepass-file", "requirepass"],
    ],
    [
      "flags come last",
      ["", { environment: { SESHAT_REQUIREPASS: "e" }, flags: "--requirepass f" }],
      "f",
      [],
    ],
    ["the later line counts", ["requirepass-file /run/pass\nrequirepass b"], "b", []],
    [
      "the later line counts, the file too",
      ["requirepass b\nrequirepass-file /run/pass"],
      "from a file",
      ["requirepass"],
    ],
  ];
  for (const [name, input, password, outside] of passwords) {
    test(`requirepass from ${name}`, () => {
      const loaded = loadSecrets(...input);
      assert.ok(loaded.ok, JSON.stringify(loaded));
      assert.equal(loaded.settings.requirepass, password);
      assert.deepEqual([...loaded.outside], outside);
    });
  }

  const failing: [string, Parameters<typeof loadSecrets>, string][] = [
    [
      "a file that is not there",
      ["cluster-secret-file /none"],
      "f.conf:1: cluster-secret-file /none: cannot read /none: there is no such file",
    ],
    [
      "a file that holds nothing",
      ["", { flags: "--requirepass-file /run/empty" }],
      "--requirepass-file /run/empty: there is nothing in /run/empty",
    ],
    [
      "a file that a variable names and that is not there",
      ["", { environment: { SESHAT_CLUSTER_SECRET_FILE: "/none" } }],
      "SESHAT_CLUSTER_SECRET_FILE: cannot read /none: there is no such file",
    ],
    [
      "two variables for one secret, which have no order",
      ["", { environment: { SESHAT_REQUIREPASS: "e", SESHAT_REQUIREPASS_FILE: "/run/pass" } }],
      "SESHAT_REQUIREPASS_FILE and SESHAT_REQUIREPASS are both set: give one of them",
    ],
  ];
  for (const [name, input, want] of failing) {
    test(`${name}: the start stops, and says where`, () => {
      const loaded = loadSecrets(...input);
      assert.equal(loaded.ok ? "" : loaded.error, want);
    });
  }

  test("no error shows a secret: a quote is missing, a name is misspelled, the value is glued to its name", () => {
    const lines = [
      'requirepass "hunter2 and more',
      "cluster-secret 'hunter2",
      'requirepass"hunter2',
      '"requirepass hunter2',
      '"requirepass" hunter2 x',
      "REQUIREPASS hunter2 x",
      "requirepass=hunter2",
      "requirepas hunter2",
      'requirepas "hunter2',
      "requirepas=hunter2",
      "masterauth hunter2",
      "user default on >hunter2",
      "tls-key-file-pass hunter2",
      "timeout 5 requirepass hunter2",
      "include a.conf requirepass hunter2",
    ];
    const errors = lines.flatMap((line) => [
      errorOf(line),
      errorOf("include a.conf", "", { "a.conf": `\n${line}` }),
    ]);
    for (const word of ["--requirepass=hunter2", "--requirepas=hunter2", "-requirepass=hunter2"]) {
      const parsed = parseCommandLine([word]);
      errors.push(parsed.kind === "error" ? parsed.error : "");
    }
    for (const flags of [
      "--requirepas hunter2",
      "--requirepass hunter2 x",
      "--timeout 5 -requirepass hunter2",
    ]) {
      errors.push(errorOf("", flags));
    }
    for (const error of errors) {
      assert.notEqual(error, "");
      assert.doesNotMatch(error, /hunter2/);
    }
    assert.equal(errors[0], "f.conf:1: requirepass: unbalanced quotes");
    assert.equal(errors[3], "a.conf:2: cluster-secret: unbalanced quotes");
    assert.equal(errorOf("requirepass=x"), "f.conf:1: requirepass: write a space behind the name");
  });

  test("a secret on the command line is warned of, without showing it", () => {
    const loaded = loadSecrets("", { flags: "--requirepass hunter2" });
    assert.ok(loaded.ok);
    assert.deepEqual(loaded.warnings, [
      "requirepass was on the command line, where others on this machine can see it: " +
        "give it by requirepass-file or the environment variable SESHAT_REQUIREPASS",
    ]);
  });

  test("members need a cluster-secret when there is a password", () => {
    const members = "node-name a\nmember a 127.0.0.1:1\nmember b 127.0.0.1:2\nrequirepass p\n";
    const problem = errorOf(members);
    assert.match(
      problem,
      /^f\.conf:4: requirepass needs a cluster-secret, or anybody on this machine gets past it through the peer port/,
    );
    assert.match(problem, /start all members with the same cluster-secret-file or SESHAT_CLUSTER_SECRET$/);
    assert.equal(settingsOf(`${members}cluster-secret sixteen-of-these`).requirepass, "p");
    assert.equal(settingsOf("requirepass p").requirepass, "p", "a node alone has no peer port");
  });
});

describe("what is read", () => {
  test("nothing gives the defaults, and what follows from them", () => {
    assert.deepEqual(settingsOf(""), {
      ...defaultSettings(),
      nodeName: "n1",
      peerPort: 16379,
      peerBind: ["127.0.0.1", "-::1"],
    });
  });
  test("comments, blank lines, case and quotes", () => {
    const settings = settingsOf(
      '# port 1\n\n   # x\nPORT 7000\r\nrequirepass "a b"\nsave ""\nmaxmemory 1gb\nloglevel VERBOSE\nbind 127.0.0.1 -::1\n',
    );
    assert.equal(settings.port, 7000);
    assert.equal(settings.requirepass, "a b");
    assert.equal(settings.maxmemoryBytes, 1024 ** 3);
    assert.equal(settings.loglevel, "verbose");
    assert.deepEqual(settings.bind, ["127.0.0.1", "-::1"]);
  });
  test("later lines win, flags win over the file", () => {
    assert.equal(settingsOf("timeout 5\ntimeout 7").timeoutSeconds, 7);
    assert.equal(settingsOf("timeout 5", "--timeout 9").timeoutSeconds, 9);
    assert.equal(settingsOf("", "--slowlog-log-slower-than -1").slowlogSlowerThanUs, -1);
  });
  test("output limits change class by class", () => {
    const { clientOutputLimits } = settingsOf(
      "client-output-buffer-limit normal 1mb 2kb 3 pubsub 0 0 0",
      "--client-output-buffer-limit replica 1 2 3",
    );
    assert.deepEqual(clientOutputLimits, {
      normal: { hardBytes: 1 << 20, softBytes: 2048, softSeconds: 3 },
      replica: { hardBytes: 1, softBytes: 2, softSeconds: 3 },
      pubsub: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
    });
  });
  test("included files", () => {
    assert.equal(
      settingsOf("include a.conf\nport 2", "", { "a.conf": "port 1\ntimeout 3" }).timeoutSeconds,
      3,
    );
    assert.equal(
      errorOf("include a.conf"),
      "f.conf:1: include a.conf: cannot read a.conf: there is no such file",
    );
    assert.match(errorOf("include a.conf", "", { "a.conf": "include a.conf" }), /include each other/);
    assert.equal(
      errorOf("include a.conf", "", { "a.conf": "\nport x" }),
      "a.conf:2: port x: argument couldn't be parsed into an integer",
    );
  });
});

const three = "member n1 127.0.0.1:16379\nmember n2 127.0.0.1:16380\nmember n3 127.0.0.1:16381\n";

describe("members", () => {
  test("the own line gives the peer port", () => {
    const settings = settingsOf(three, "--node-name n2 --port 6380");
    assert.equal(settings.peerPort, 16380);
    assert.deepEqual(
      settings.members.map((member) => member.name),
      ["n1", "n2", "n3"],
    );
  });
  test("a cluster of one may have any port", () => {
    assert.equal(settingsOf("", "--port 60000").peerPort, 0);
  });
  const cautioned = (text: string): readonly string[] => {
    const loaded = load(`cluster-secret sixteen-of-these\nnode-name a\n${text}`);
    return loaded.ok ? loaded.warnings : [loaded.error];
  };
  test("a peer port that the own line does not send others to is warned of", () => {
    assert.deepEqual(cautioned("member a 127.0.0.1:30215\nport 30205"), []);
    assert.deepEqual(cautioned("member a 127.0.0.1:30215\npeer-port 40205"), [
      "peer-port 40205 is not the port of this node's member line (a 127.0.0.1:30215), which the other members dial: " +
        "unless a proxy or a mapped port leads from there to here, leave peer-port out",
    ]);
  });
  test("a peer port that other machines do not reach is warned of", () => {
    assert.deepEqual(cautioned("member a 10.0.0.1:16379"), []);
    assert.deepEqual(cautioned("member a 10.0.0.1:16379\npeer-bind 127.0.0.1 -10.0.0.1"), []);
    assert.deepEqual(cautioned("member a 10.0.0.1:16379\npeer-bind 127.0.0.1 -::1"), [
      "peer-bind 127.0.0.1 -::1 listens for this machine only, and this node's member line (a 10.0.0.1:16379) names it " +
        "for others: unless a proxy leads from there to here, leave peer-bind out",
    ]);
  });
  test("members on the command line replace those of the file", () => {
    const settings = settingsOf(three, "--node-name a --member a 127.0.0.1:1 --member b 127.0.0.1:2");
    assert.deepEqual(
      settings.members.map((member) => member.name),
      ["a", "b"],
    );
  });
  test("with a secret the peer port is open to other machines", () => {
    const settings = settingsOf("cluster-secret s\nnode-name a\nmember a 10.0.0.1:1\nmember b 10.0.0.2:1");
    assert.deepEqual(settings.peerBind, ["*", "-::*"]);
  });
});

describe("mistakes get one line that says where", () => {
  const cases: readonly (readonly [text: string, flags: string, want: string])[] = [
    ["\nmaxclients x", "", "f.conf:2: maxclients x: argument couldn't be parsed into an integer"],
    ["maxclients", "", "f.conf:1: maxclients: wrong number of arguments"],
    ["maxclients 1 2", "", "f.conf:1: maxclients 1 2: wrong number of arguments"],
    ["port 6379 # mine", "", "f.conf:1: port 6379 # mine: wrong number of arguments"],
    ["bind", "", "f.conf:1: bind: wrong number of arguments"],
    ['port "1', "", 'f.conf:1: port "1: unbalanced quotes'],
    ["port 70000", "", "f.conf:1: port 70000: argument must be between 0 and 65535 inclusive"],
    ["", "--port abc", "--port abc: argument couldn't be parsed into an integer"],
    ["", "--prot 1", "--prot: there is no such setting; did you mean --port?"],
    ["mxmemory 1", "", "f.conf:1: mxmemory: there is no such setting; did you mean maxmemory?"],
    ["nonsense 1", "", "f.conf:1: nonsense: there is no such setting; seshat --help lists all"],
    [
      "appendonly yes",
      "",
      "f.conf:1: appendonly yes: nothing is written to disk yet, only appendonly no is true",
    ],
    ["save 60 1", "", 'f.conf:1: save 60 1: nothing is written to disk yet, only save "" is true'],
    [
      "replicaof h 1",
      "",
      "f.conf:1: replicaof: not supported: members replicate by Raft: name them with member",
    ],
    ["tls-port 6380", "", "f.conf:1: tls-port: not supported: TLS is not there yet"],
    [
      "",
      "--lease-duration 310",
      "--lease-duration: lease-duration (310) must not exceed election-timeout (300): a member could be elected while the old leader still answers reads",
    ],
    [
      "tick-interval 50\n",
      "--heartbeat-interval 55",
      "--heartbeat-interval: heartbeat-interval (55 ms) must be a multiple of tick-interval (50 ms)",
    ],
    [
      "heartbeat-interval 55\nelection-timeout 550\ntick-interval 10",
      "",
      "f.conf:3: heartbeat-interval (55 ms) must be a multiple of tick-interval (10 ms)",
    ],
    [
      "",
      "--heartbeat-interval 100",
      "--heartbeat-interval: heartbeat-interval (100) must not exceed half of lease-duration (75): the lease of a quiet leader would run out between heartbeats",
    ],
    [three, "", "f.conf:3: node-name is missing: say which of the members this node is (n1, n2, n3)"],
    [three, "--node-name n9", "--node-name: node-name n9 is not among the members (n1, n2, n3)"],
    [
      three,
      "--node-name n1 --port 16379",
      "--port: port and peer-port are both 16379: clients and members need a port each",
    ],
    [
      "node-name a\nmember b 10.0.0.2:1\nmember a 127.0.0.1:1",
      "",
      "f.conf:2: member b at 10.0.0.2:1 is another machine: give all a cluster-secret",
    ],
    [
      "",
      "--peer-bind 0.0.0.0",
      "--peer-bind: peer-bind 0.0.0.0 needs a cluster-secret: anybody could join as a member",
    ],
    [
      "",
      "--log-tail-bytes 100mb",
      "--log-tail-bytes: log-tail-bytes (104857600) must not exceed log-max-bytes (67108864): the tail is a part of the log",
    ],
    ["", "--member n1", "--member n1: a member is a name and an address, as in: member n1 127.0.0.1:16379"],
  ];
  for (const [text, flags, want] of cases) {
    test(want, () => assert.equal(errorOf(text, flags), want));
  }
  test("a secret is not repeated in the message", () => {
    assert.equal(errorOf("requirepass a b"), "f.conf:1: requirepass: wrong number of arguments");
    assert.equal(errorOf("", "--cluster-secret a b"), "--cluster-secret: wrong number of arguments");
  });
});

describe("the command line", () => {
  test("help and version wherever they stand", () => {
    assert.equal(parseCommandLine(["x.conf", "--help"]).kind, "help");
    assert.equal(parseCommandLine(["-v"]).kind, "version");
  });
  test("a file first, then names with their words", () => {
    assert.deepEqual(parseCommandLine(["x.conf", "--member", "n1", "h:1", "--save", "", "--port", "1"]), {
      kind: "run",
      file: "x.conf",
      flags: [
        { name: "member", words: ["n1", "h:1"] },
        { name: "save", words: [""] },
        { name: "port", words: ["1"] },
      ],
    });
  });
  test("slips", () => {
    assert.deepEqual(parseCommandLine(["-port", "1"]), {
      kind: "error",
      error: "-port: options start with two dashes; seshat --help lists all",
    });
    assert.deepEqual(parseCommandLine(["--port=1"]), {
      kind: "error",
      error: "--port=1: write the value as a word of its own: --port <value>",
    });
  });
});

describe("a stock redis.conf", () => {
  const read = (): string | undefined => {
    try {
      return readFileSync("/etc/redis/redis.conf", "utf8");
    } catch {
      return undefined;
    }
  };
  const text = read();
  test.skipIf(text === undefined)(
    "of Debian starts with warnings only (skipped where it cannot be read)",
    () => {
      const loaded = load(text ?? "");
      assert.ok(loaded.ok, loaded.ok ? "" : loaded.error);
      assert.deepEqual(loaded.settings.bind, ["127.0.0.1", "-::1"]);
      assert.ok(loaded.warnings.length > 10);
      assert.match(loaded.warnings[0]!, /^f\.conf:\d+: ignored, \S+ has no meaning in Seshat$/);
    },
  );
});

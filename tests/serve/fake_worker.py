"""A worker that only pretends: what it does, the job's `frames` field says. It starts in a blink.

    done        says that it painted            crash       dies by a signal, until its third try
    wrong       says that the input is wrong    wait        goes on until it is told to stop
    slow        waits at its first try, is done at its second
"""
import json
import os
import signal
import sys
import time

order = json.loads(sys.stdin.readline())
tries = sorted(name for name in os.listdir(".") if name.startswith("try"))
open(f"try{len(tries)}", "w").close()


def tell(**message):  # type: ignore[no-untyped-def]
    print(json.dumps(message), flush=True)


does = order["job"]["frames"]
print("this is for the log", file=sys.stderr, flush=True)
tell(progress={"stage": "pretending", "done": 1, "total": 2, "pid": os.getpid()})
if does == "crash" and len(tries) < 2:
    os.kill(os.getpid(), signal.SIGKILL)
if does == "wrong":
    tell(fault="no such thing", exit_code=2)
    sys.exit(2)
if does == "wait" or (does == "slow" and not tries):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = os.getppid()
    for _ in range(3000):
        time.sleep(0.01)
        if os.getppid() != server:  # it is gone
            sys.exit(143)
with open("painted.png", "wb") as file:
    file.write(b"0123456789")
tell(done={"path": os.path.abspath("painted.png"), "summary": f"painted {os.path.abspath('painted.png')}", "figures": {}})

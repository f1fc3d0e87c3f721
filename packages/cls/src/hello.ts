/** Ceph's example of a class (cls/hello/cls_hello.cc), down to the methods that do what they may not. */
import { type Bytes, concatBytes, Errno, formatAddr, utf8 } from '@spirula/encoding';
import { entityNameText } from './entity-inst.ts';
import type { MethodContext } from './method-context.ts';
import { ClassError, MethodFlag, type MethodOutcome, NOTHING, type ObjectClass, rawMethod } from './object-class.ts';

const MAX_NAME_BYTES = 100;
const MAX_GREETING_BYTES = 1100;
const UPPER = { from: 0x61, to: 0x7a, by: 0x20 } as const;

function greet(name: Bytes): Bytes {
  if (name.length > MAX_NAME_BYTES) throw new ClassError(Errno.EINVAL);
  return concatBytes([utf8('Hello, '), name.length === 0 ? utf8('world') : name, utf8('!')]);
}

/** `client.4161 v2:127.0.0.1:0/3134`, whoever asks. */
function callerText({ origin }: MethodContext): Bytes {
  return utf8(`${entityNameText(origin)} ${formatAddr(origin.addr)}`);
}

function exists(object: MethodContext): boolean {
  try {
    object.stat();
    return true;
  } catch (error) {
    if (error instanceof ClassError) return false;
    throw error;
  }
}

function record(object: MethodContext, input: Bytes): MethodOutcome {
  const greeting = greet(input);
  if (exists(object)) throw new ClassError(Errno.EEXIST);
  object.writeFull(greeting);
  object.setXattr('said_by', callerText(object));
  return NOTHING;
}

function turnItTo11(object: MethodContext, input: Bytes): MethodOutcome {
  if (input.length !== 0) throw new ClassError(Errno.EINVAL);
  const isLower = (byte: number) => byte >= UPPER.from && byte <= UPPER.to;
  object.writeFull(object.read(0, MAX_GREETING_BYTES).map((byte) => (isLower(byte) ? byte - UPPER.by : byte)));
  object.setXattr('amplified_by', callerText(object));
  return NOTHING;
}

/** A write that succeeds with a value and answers; where it is given something, it fails and answers. */
function returning(answer: string, failure: string | undefined) {
  return (object: MethodContext, input: Bytes): MethodOutcome => {
    object.setXattr('foo', utf8('bar'));
    if (failure !== undefined && input.length > 0) return { code: Errno.EINVAL, output: utf8(failure) };
    return { code: 42, output: utf8(answer) };
  };
}

const { read, write, promote } = MethodFlag;

export const helloClass: ObjectClass = {
  name: 'hello',
  methods: {
    say_hello: rawMethod(read, (_object, input) => ({ code: 0, output: greet(input) })),
    record_hello: rawMethod(write | promote, record),
    write_return_data: rawMethod(write, returning('you might see this', 'too much input data!')),
    writes_dont_return_data: rawMethod(write, returning('you will never see this', 'too much input data!')),
    write_too_much_return_data: rawMethod(
      write,
      returning('you should not see this because it is toooooo long. '.repeat(10), undefined),
    ),
    replay: rawMethod(read, (object) => ({ code: 0, output: object.read(0, MAX_GREETING_BYTES) })),
    turn_it_to_11: rawMethod(read | write | promote, turnItTo11),
    bad_reader: rawMethod(write, (object) => ({ code: 0, output: object.read(0, MAX_NAME_BYTES) })),
    bad_writer: rawMethod(read, (object, input) => {
      object.writeFull(input);
      return NOTHING;
    }),
  },
};

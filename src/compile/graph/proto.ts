import protobuf from 'protobufjs';

/**
 * The subset of TensorFlow's messages needed for graphs (tensorflow/core/protobuf/{saved_model,meta_graph}.proto,
 * core/framework/{graph,node_def,attr_value,tensor,function}.proto). Decoding drops fields that are not listed here.
 */
const schema = `
syntax = "proto3";
package tensorflow;
message Dim { int64 size = 1; string name = 2; }
message Shape { repeated Dim dim = 2; bool unknown_rank = 3; }
message Tensor {
  int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4;
  repeated float float_val = 5; repeated double double_val = 6; repeated int32 int_val = 7; repeated bytes string_val = 8;
  repeated float scomplex_val = 9; repeated int64 int64_val = 10; repeated bool bool_val = 11; repeated double dcomplex_val = 12;
  repeated int32 half_val = 13; repeated uint32 uint32_val = 16; repeated uint64 uint64_val = 17;
}
message NameAttrList { string name = 1; map<string, Attr> attr = 2; }
message AttrList {
  repeated bytes s = 2; repeated int64 i = 3; repeated float f = 4; repeated bool b = 5; repeated int32 type = 6;
  repeated Shape shape = 7; repeated Tensor tensor = 8; repeated NameAttrList func = 9;
}
message Attr {
  oneof value {
    AttrList list = 1; bytes s = 2; int64 i = 3; float f = 4; bool b = 5; int32 type = 6; Shape shape = 7; Tensor tensor = 8;
    string placeholder = 9; NameAttrList func = 10;
  }
}
message Node { string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, Attr> attr = 5; }
message Version { int32 producer = 1; int32 min_consumer = 2; }
message Arg { string name = 1; string description = 2; int32 type = 3; string type_attr = 4; string number_attr = 5; string type_list_attr = 6; bool is_ref = 16; }
message AttrDef { string name = 1; string type = 2; Attr default_value = 3; Attr allowed_values = 7; }
message OpDef {
  string name = 1; repeated Arg input_arg = 2; repeated Arg output_arg = 3; repeated AttrDef attr = 4; bool is_stateful = 17;
  repeated string control_output = 20;
}
message Function {
  OpDef signature = 1; repeated Node node_def = 3; map<string, string> ret = 4; map<string, Attr> attr = 5; map<string, string> control_ret = 6;
}
message OpList { repeated OpDef op = 1; }
message Library { repeated Function function = 1; }
message Graph { repeated Node node = 1; Library library = 2; Version versions = 4; }
message TensorInfo { string name = 1; int32 dtype = 2; Shape tensor_shape = 3; }
message Signature { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; string method_name = 3; }
message MetaInfo { OpList stripped_op_list = 2; repeated string tags = 4; string tensorflow_version = 5; }
message MetaGraph { MetaInfo meta_info_def = 1; Graph graph_def = 2; map<string, Signature> signature_def = 5; }
message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraph meta_graphs = 2; }
`;

/** TensorFlow's numbers of element types (core/framework/types.proto). */
export const dataType = {
  float: 1,
  double: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  half: 19,
  resource: 20,
} as const;

export interface ShapeProto {
  /** -1 is any size. */
  dim: { size: number }[];
  unknownRank?: boolean;
}

export interface TensorProto {
  dtype: number;
  tensorShape: ShapeProto;
  /** Little-endian elements in row-major order; if empty, the elements are in the `…Val` of their type. */
  tensorContent?: Uint8Array;
  floatVal?: number[];
  doubleVal?: number[];
  intVal?: number[];
  stringVal?: Uint8Array[];
  int64Val?: number[];
  boolVal?: boolean[];
  halfVal?: number[];
}

export interface NameAttrList {
  name: string;
  attr?: Record<string, AttrProto>;
}

/** Exactly one of its fields is set. */
export interface AttrProto {
  list?: {
    s?: Uint8Array[];
    i?: number[];
    f?: number[];
    b?: boolean[];
    type?: number[];
    shape?: ShapeProto[];
    func?: NameAttrList[];
  };
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: boolean;
  type?: number;
  shape?: ShapeProto;
  tensor?: TensorProto;
  placeholder?: string;
  func?: NameAttrList;
}

/** One operation; an input is `node`, `node:output` or, for a control dependency, `^node`. */
export interface NodeProto {
  name: string;
  op: string;
  input: string[];
  device?: string;
  attr: Record<string, AttrProto>;
}

export interface ArgProto {
  name: string;
  type?: number;
  typeAttr?: string;
  numberAttr?: string;
  typeListAttr?: string;
}

/** Signature of an operation or function. */
export interface OpProto {
  name: string;
  inputArg: ArgProto[];
  outputArg: ArgProto[];
  isStateful?: boolean;
  controlOutput?: string[];
}

export interface FunctionProto {
  signature: OpProto;
  nodeDef: NodeProto[];
  ret: Record<string, string>;
  attr?: Record<string, AttrProto>;
  controlRet?: Record<string, string>;
}

export interface GraphProto {
  node: NodeProto[];
  library?: { function: FunctionProto[] };
  versions?: { producer?: number; minConsumer?: number };
}

export interface TensorInfoProto {
  name: string;
  dtype: number;
  tensorShape: ShapeProto;
}

export interface SignatureProto {
  inputs: Record<string, TensorInfoProto>;
  outputs: Record<string, TensorInfoProto>;
  methodName: string;
}

export interface MetaGraphProto {
  metaInfoDef: {
    tags: string[];
    tensorflowVersion?: string;
    /** The operations that the graph and its functions use. */
    strippedOpList?: { op: OpProto[] };
  };
  graphDef: GraphProto;
  signatureDef: Record<string, SignatureProto>;
}

/** The content of `saved_model.pb`. */
export interface SavedModelProto {
  savedModelSchemaVersion: number;
  metaGraphs: MetaGraphProto[];
}

const savedModelType = protobuf.parse(schema).root.lookupType('tensorflow.SavedModel');

/** Writes `saved_model.pb`. */
export function encodeSavedModel(savedModel: SavedModelProto): Uint8Array {
  return savedModelType.encode(savedModelType.fromObject(savedModel)).finish();
}

/** Reads `saved_model.pb`. @throws Error for other bytes */
export function decodeSavedModel(bytes: Uint8Array): SavedModelProto {
  const options = { longs: Number, arrays: true, objects: true, oneofs: false };
  return savedModelType.toObject(savedModelType.decode(bytes), options) as SavedModelProto;
}

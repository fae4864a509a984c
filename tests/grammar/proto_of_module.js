// proto_of_module.js FILE: the .proto text of the module that protobufjs made from it.
"use strict";
const source = require("fs").readFileSync(process.argv[2], "utf8");

const scalars = new Set(["int32", "uint32", "int64", "uint64", "bool", "string", "double", "bytes"]);
const oneofs = {Node: "node", A_Const: "val"};

// The module knows fields by the names that JSON has for them.
const fieldName = (name) => name === "base" ? "base_stmt" : name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();

// What the text between two declarations says of one message or enum.
function enumText(name, body) {
  const values = [...body.matchAll(/values\[valuesById\[(\d+)\] = "(\w+)"\]/g)];
  return `enum ${name} {\n${values.map(([, id, value]) => `  ${value} = ${id};\n`).join("")}}\n`;
}

function messageText(name, body) {
  const types = new Map(
    [...body.matchAll(/@property \{(.*?)(?:\|null)?\} \[(\w+)\]/g)].map(([, type, field]) => [field, type]));
  const encode = body.match(new RegExp(`${name}\\.encode = function[^]*?return writer;`))[0];
  // In proto.js a field's value is written together with its number.
  const ids = new Map();
  for (const [, id, , scalar, field] of encode.matchAll(
         /\/\* id (\d+), wireType (\d) =\*\/\d+\)\.(\w+)\(message\.(\w+)/g))
    ids.set(field, {id, scalar});
  for (const [, field, id] of encode.matchAll(/encode\(message\.(\w+)(?:\[i\])?, writer\.uint32\(\/\* id (\d+)/g))
    ids.set(field, {id});
  const lines = [...ids].map(([field, {id, scalar}]) => {
    const type = types.get(field);
    const repeated = type.startsWith("Array.<") ? "repeated " : "";
    const named = type.replace(/^Array\.<(.*)>$/, "$1").match(/^pg_query\.I?(\w+)$/);
    const isMessage = named && scalar === undefined;
    const typeText = named ? (isMessage ? named[1] : type.replace(/.*pg_query\.(\w+).*/, "$1")) : scalar;
    if (!named && !scalars.has(scalar)) throw new Error(`${name}.${field}: ${type}`);
    return `  ${repeated}${typeText} ${fieldName(field)} = ${id};\n`;
  });
  const fields = oneofs[name]
    ? lines.filter((line) => inOneof(name, line)).join("") : "";
  const others = oneofs[name] ? lines.filter((line) => !inOneof(name, line)) : lines;
  const oneof = fields ? `  oneof ${oneofs[name]} {\n${fields}  }\n` : "";
  return `message ${name} {\n${oneof}${others.join("")}}\n`;
}

// A constant's value is one of several; whether it is NULL and where it stands is beside that.
const inOneof = (message, line) => message === "Node" || !/ (isnull|location) = /.test(line);

console.log('syntax = "proto3";\npackage pg_query;');
const parts = source.split(/^ {8}pg_query\.(\w+) = \(function\(\) \{$/m);
for (let i = 1; i < parts.length; i += 2) {
  const isEnum = parts[i + 1].includes("valuesById = {}");
  console.log(isEnum ? enumText(parts[i], parts[i + 1]) : messageText(parts[i], parts[i + 1]));
}

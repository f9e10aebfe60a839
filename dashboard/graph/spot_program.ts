import { NodeProgram, type ProgramInfo } from "sigma/rendering";
import type { NodeDisplayData, RenderParams } from "sigma/types";
import { floatColor } from "sigma/utils";

/** What the shader draws: its numbers are in the fragment shader as well. */
export const shapes = { OK: 0, ERROR: 1, UNSET: 2 } as const;

export interface SpotAttributes {
  x: number;
  y: number;
  size: number;
  color: string;
  shape: number;
}

const vertexShader = `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_offset;
varying float v_radius;
varying float v_shape;

void main() {
  // A triangle around the mark: the circle of half its reach fits inside.
  float reach = a_size * u_correctionRatio / u_sizeRatio * 4.0;
  v_offset = reach * vec2(cos(a_angle), sin(a_angle));
  v_radius = reach / 2.0;
  v_shape = a_shape;
  gl_Position = vec4((u_matrix * vec3(a_position + v_offset, 1.0)).xy, 0.0, 1.0);
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= 255.0 / 254.0;
}`;

const fragmentShader = `
precision highp float;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_offset;
varying float v_radius;
varying float v_shape;
const vec4 nothing = vec4(0.0);

void main() {
  // A signed distance to the edge: a disc, a diamond, or a ring.
  float distance = length(v_offset) - v_radius;
  if (v_shape > 0.5 && v_shape < 1.5) distance = (abs(v_offset.x) + abs(v_offset.y) - v_radius) * 0.7071;
  float soft = u_correctionRatio * 2.0;
  #ifdef PICKING_MODE
  // Easier to hit than to see.
  gl_FragColor = length(v_offset) > v_radius ? nothing : v_color;
  #else
  if (v_shape > 1.5) {
    float half_line = soft * 0.8;
    distance = abs(distance + half_line) - half_line;
  }
  gl_FragColor = mix(v_color, nothing, clamp(distance / soft + 0.5, 0.0, 1.0));
  #endif
}`;

type Uniform = "u_sizeRatio" | "u_correctionRatio" | "u_matrix";

/** Draws spans for sigma, which has discs only: a disc, diamond or ring by `shape`. */
export class SpotProgram extends NodeProgram<Uniform> {
  getDefinition() {
    const { FLOAT, UNSIGNED_BYTE, TRIANGLES } = WebGLRenderingContext;
    return {
      VERTICES: 3,
      VERTEX_SHADER_SOURCE: vertexShader,
      FRAGMENT_SHADER_SOURCE: fragmentShader,
      METHOD: TRIANGLES,
      UNIFORMS: ["u_sizeRatio", "u_correctionRatio", "u_matrix"] as const,
      ATTRIBUTES: [
        { name: "a_position", size: 2, type: FLOAT },
        { name: "a_size", size: 1, type: FLOAT },
        { name: "a_shape", size: 1, type: FLOAT },
        { name: "a_color", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_id", size: 4, type: UNSIGNED_BYTE, normalized: true },
      ],
      CONSTANT_ATTRIBUTES: [{ name: "a_angle", size: 1, type: FLOAT }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }

  processVisibleItem(index: number, start: number, data: NodeDisplayData & { shape?: number }): void {
    this.array.set([data.x, data.y, data.size, data.shape ?? shapes.OK, floatColor(data.color), index], start);
  }

  setUniforms({ sizeRatio, correctionRatio, matrix }: RenderParams, { gl, uniformLocations }: ProgramInfo): void {
    gl.uniform1f(uniformLocations["u_correctionRatio"] ?? null, correctionRatio);
    gl.uniform1f(uniformLocations["u_sizeRatio"] ?? null, sizeRatio);
    gl.uniformMatrix3fv(uniformLocations["u_matrix"] ?? null, false, matrix);
  }
}
